"""The Pulumi program: components, and the pure functions that compute what they are given."""
