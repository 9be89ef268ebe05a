"""Signing in with an identity provider: a program of its own, without tasks or documents."""
