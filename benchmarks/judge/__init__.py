"""The judge against rivals written from their documentation, in one and the same simulated minutes. `make bench-judge`."""
