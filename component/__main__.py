"""Serves Sluice as a component to Pulumi programs in any language: `pulumi package add <this folder>`."""

from __future__ import annotations

from pulumi.provider.experimental import component_provider_host

from infra.packaged import NAME, VERSION, Sluice

if __name__ == "__main__":
    component_provider_host([Sluice], name=NAME, version=VERSION)
