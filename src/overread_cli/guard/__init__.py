"""`overread guard`: a change that would destroy what a stack keeps is refused before it is deployed."""
