"""`overread preflight`: whether an account is ready for a deployment; reads, and changes nothing."""
