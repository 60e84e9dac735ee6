"""AWS plumbing made honest: clock, gate, IAM, functions, events, Step Functions. Patches of moto are in the `..._hooks`, by service."""
