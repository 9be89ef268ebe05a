"""Every error that the local stack raises on purpose.

LocalStackError            cannot do what was asked; the message says what to do
├── AlreadyRunningError    another stack runs in the same state folder
└── NotRunningError        nothing, or not everything, runs in the state folder
"""


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message says what to do."""


class AlreadyRunningError(LocalStackError):
    """A stack already runs in the state folder."""


class NotRunningError(LocalStackError):
    """No stack, or only a part of one, runs in the state folder."""
