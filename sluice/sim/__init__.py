"""The ports in memory with a virtual clock: a small world in which the real tick runs. The only fake that tests use."""
