"""Why somebody is not signed in.

SignInError
├── SignInRefusedError       what the provider or the browser sent cannot be trusted, or is over
├── ExchangeError            the provider does not answer, or refuses the code
├── KeyUnknownError          the token is signed with a key that the provider does not publish
└── InvitationError          the person cannot be created at the provider
"""

from overread.errors import OverreadError


class SignInError(OverreadError):
    """Nobody is signed in; the text says why, in words for the person."""


class SignInRefusedError(SignInError):
    """What came back cannot be trusted, or is over."""


class ExchangeError(SignInError):
    """The provider does not give a token for the code."""


class KeyUnknownError(SignInError):
    """The provider publishes no such key."""


class InvitationError(SignInError):
    """The provider does not take the person."""
