"""The sandbox's AWS as a provider plugin for the real Pulumi engine."""
