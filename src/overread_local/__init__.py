"""The local stack: an AWS emulator with SageMaker, A2I and a worker portal; loopback only, no account."""
