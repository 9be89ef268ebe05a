"""Labels of augmented manifests in the formats of other tools: one format a module, no files."""
