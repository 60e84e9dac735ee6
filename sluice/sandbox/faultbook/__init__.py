"""The faults Sluice was built for, by name: how each is brought about in the sandbox, and the safe end it must come to."""
