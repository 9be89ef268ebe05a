"""`overread audit`: verify, replay, reconcile, report and export the audit log of a deployment."""
