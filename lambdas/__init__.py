"""The control plane's functions: parse, wire, call one use case, return. Nothing is decided here."""
