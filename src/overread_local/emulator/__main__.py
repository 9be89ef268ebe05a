"""Runs the emulator host: `python -m overread_local.emulator`."""

from overread_local.emulator.host import main

main()
