"""The demo: deploy, predict, review and decide on this machine."""
