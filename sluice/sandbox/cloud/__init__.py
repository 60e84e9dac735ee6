"""AWS plumbing made honest: clock, gate, IAM, functions, events, Step Functions. Its `hooks` hold every patch of moto it needs."""
