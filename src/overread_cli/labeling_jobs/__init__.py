"""`overread label`: labeling jobs planned, started, watched, changed, merged and reported."""
