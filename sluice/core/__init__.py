"""The pure core: what a rollout is and what to do next. Standard library only, no clock, no I/O, no logger."""
