"""Labeling jobs on the review service: Ground Truth's calls, files and functions, the portal's people."""
