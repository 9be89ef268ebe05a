"""`overread plan`: people and money that a configuration asks for, before anything starts."""
