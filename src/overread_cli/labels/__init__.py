"""`overread label`: labels out of and into the formats of other tools."""
