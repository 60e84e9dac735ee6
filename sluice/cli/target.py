"""Which endpoint a command is for and whose control plane serves it: from the name given, the options, the folder, the environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sluice.core.errors import BadInput

PROJECT = "sluice"
"""The project when neither an option nor a Pulumi.yaml says another."""
_WHOLE_NAME = 3
"""Parts of a stack's whole name."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was said on the command line; None is for `find it out`."""

    name: str
    project: str | None = None
    stack: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint of one stack. `region` None leaves it to boto3; `options` are those to repeat in a command line.

    `served_by` is the project and stack whose control plane serves it, None for the stack's own.
    """

    project: str
    stack: str
    endpoint: str
    region: str | None
    options: tuple[str, ...]
    served_by: tuple[str, str] | None = None

    @property
    def table(self) -> str:
        """The control plane's table of records, named as `infra.resource_names` does."""
        return "-".join(self.served_by or (self.project, self.stack))

    @property
    def function(self) -> str:
        """The command function."""
        return self.of("command")

    def of(self, word: str) -> str:
        """A control function's name, by its word."""
        return f"{self.table}-{word}"

    def line(self, command: str, *more: str) -> str:
        """The command line that does something else with the same endpoint."""
        return shlex.join(["sluice", command, f"{self.stack}/{self.endpoint}", *self.options, *more])


def find_target(given: Given, folder: Path, environment: Mapping[str, str]) -> Target:
    """The target; raises BadInput when the stack cannot be known or a Pulumi file cannot be read."""
    in_name, _, endpoint = given.name.rpartition("/")
    if not endpoint:
        raise BadInput((f"NAME: must be an endpoint's name or stack/endpoint, got {given.name!r}",))
    home = find_home(folder)
    stack = _stack(in_name, given.stack, endpoint, home, environment)
    project = str(given.project or _document(home / "Pulumi.yaml").get("name") or PROJECT)
    file = home / f"Pulumi.{stack}.yaml"
    region = given.region or _region(file)
    said = {"--project": given.project, "--region": given.region}
    options = tuple(word for option, value in said.items() if value for word in (option, value))
    return Target(project, stack, endpoint, region, options, _served_by(file, project))


def find_home(folder: Path) -> Path:
    """The folder with the Pulumi.yaml, here or above, as Pulumi looks for it."""
    return next((place for place in (folder, *folder.parents) if (place / "Pulumi.yaml").is_file()), folder)


def _stack(in_name: str, option: str | None, endpoint: str, home: Path, environment: Mapping[str, str]) -> str:
    """From the name, the option, the environment or the only stack file; an organization before it is Pulumi's affair."""
    in_name, option = _last(in_name), _last(option or "")
    if in_name and option and in_name != option:
        raise BadInput((f"--stack: the name says stack {in_name!r}, the option {option!r}. Say one of them.",))
    found = in_name or option or _last(environment.get("PULUMI_STACK", ""))
    if found:
        return found
    stacks = [file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in sorted(home.glob("Pulumi.*.yaml"))]
    if len(stacks) == 1:
        return stacks[0]
    seen = f"{home} has {', '.join(stacks)}" if stacks else f"no Pulumi.<stack>.yaml in {home}"
    raise BadInput(
        (f"stack: which one? ({seen}). Say stack/{endpoint}, or give --stack, or set PULUMI_STACK.",),
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _region(file: Path) -> str | None:
    """The region the stack is configured for: a shell set up for another one must not lead elsewhere."""
    region = _setting(file, "aws:region")
    return region if isinstance(region, str) else None


def _served_by(file: Path, project: str) -> tuple[str, str] | None:
    """Whose control plane the stack's configuration names. A project that is not this folder's has no such key in it."""
    key = f"{project}:control_plane"
    named = _setting(file, key)
    if named is None:
        return None
    parts = named.split("/") if isinstance(named, str) else []
    if len(parts) != _WHOLE_NAME or not all(parts):
        raise BadInput((f"{file}: config.{key}: must be <organization>/<project>/<stack>, got {named!r}",))
    return parts[1], parts[2]


def _setting(file: Path, key: str) -> object:
    """A value of the stack's configuration as it is written there; None where it says nothing."""
    config = _document(file).get("config")
    return config.get(key) if isinstance(config, dict) else None


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise BadInput((f"{file}: cannot be read: {' '.join(str(fault).split())}",)) from None
    return document if isinstance(document, dict) else {}
