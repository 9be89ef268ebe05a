"""`overread manifest`: labeling manifests, line by line; no file is ever whole in memory."""
