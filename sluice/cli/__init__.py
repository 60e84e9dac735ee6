"""The command line: words in, one use case, words out. Exit 0 good, 1 rolled back or failed, 2 bad input, 3 not in time."""

from sluice.cli.app import main

__all__ = ["main"]
