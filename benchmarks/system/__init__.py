"""What Sluice's parts cost, each beside a named baseline measured in the same run: `make bench`."""
