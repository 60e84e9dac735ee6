"""The Pulumi engine's part: a monitor with state between runs, and resource tables that create the real thing in moto."""
