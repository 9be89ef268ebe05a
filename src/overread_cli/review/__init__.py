"""`overread review`: human loops from the command line, on the local stack, a review service or A2I."""
