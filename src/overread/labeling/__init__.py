"""Labeling jobs at scale: task types, manifests, jobs, annotations and their consolidation."""
