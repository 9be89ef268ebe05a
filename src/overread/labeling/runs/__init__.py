"""A labeling run: what its steps compute, without a service, a clock or a file."""
