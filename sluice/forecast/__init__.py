"""Rollouts by the thousand, before one is risked: a world of minutes, the judge over arrays, and what a policy would do in it.

Needs numpy (the extra `forecast`). The formulas are the judge's own, written a second time over arrays; a test holds both to 1e-9.
"""
