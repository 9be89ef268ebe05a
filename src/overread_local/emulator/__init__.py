"""The emulator host: ministack in one process with Overread's hooks on it.

ministack has no supported extension points: every hook sets a module attribute of the pinned version, and
`hooks.py` fails at start when one of them is not there.
"""
