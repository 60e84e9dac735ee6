"""Which endpoint a command is for and whose control plane serves it: from the name given, the options, the folder, the environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from sluice.cli.searching import Known, Served, in_files, meant
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


def find_target(given: Given, folder: Path, environment: Mapping[str, str], known: Known) -> Target:
    """The one endpoint that is meant; raises BadInput when that is none or several, or a Pulumi file cannot be read."""
    found = find_targets(given, folder, environment, known)
    if len(found) > 1:
        names = ", ".join(f"{target.stack}/{target.endpoint}" for target in found)
        raise BadInput((f"NAME: {given.name!r} has several endpoints ({names}). Say which one.",))
    return found[0]


def find_targets(given: Given, folder: Path, environment: Mapping[str, str], known: Known) -> tuple[Target, ...]:
    """Every endpoint that is meant, one at least: the name of an endpoint means that one, the name of a stack each of its endpoints,
    and no name each of the stack that is said elsewhere, or all there are.

    Looks further than the name and the folder only where these do not say it. Raises BadInput.
    """
    in_name, _, name = given.name.rpartition("/")
    home = find_home(folder)
    own = str(given.project or _document(home / "Pulumi.yaml").get("name") or PROJECT)
    stack = _stack(in_name, given.stack, home, environment)
    is_a_stack = name in ("", stack) or (home / f"Pulumi.{name}.yaml").is_file()
    if stack is not None and (in_name or not is_a_stack) and name:
        return (_target(given, home, own, Served(own, stack, name)),)
    asked = replace(given, name=name, stack=None if name == stack else stack)
    region = given.region or _region(home / f"Pulumi.{stack}.yaml")
    found, why = _search(asked, region, in_files(home, own), known)
    if found:
        return tuple(_target(given, home, own, one) for one in found)
    if stack is not None and name:
        return (_target(given, home, own, Served(own, stack, name)),)
    raise BadInput((_which(replace(given, name=name, stack=stack), home, why),))


def _search(
    asked: Given, region: str | None, configured: Iterable[Served], known: Known
) -> tuple[tuple[Served, ...], str]:
    """What is meant among what the folder's files configure, else among what is served; and why nothing was found."""
    found = meant(asked.name, asked.stack, configured)
    if found:
        return found, ""
    try:
        served = known(region)
    except BadInput as fault:
        return (), str(fault)
    found = meant(asked.name, asked.stack, [one for one in served if asked.project in (None, one.project)])
    there = ", ".join(_called(one, asked.project) for one in served) or "none"
    return found, f"endpoints in Parameter Store: {there}"


def _target(given: Given, home: Path, own: str, served: Served) -> Target:
    """With the options to repeat: those that were given, and the project where the folder says another one."""
    file = home / f"Pulumi.{served.stack}.yaml"
    said = {"--project": served.project if served.project != own else given.project, "--region": given.region}
    options = tuple(word for option, value in said.items() if value for word in (option, value))
    if served.project != own:
        return Target(served.project, served.stack, served.endpoint, given.region, options)
    region = given.region or _region(file)
    return Target(own, served.stack, served.endpoint, region, options, _served_by(file, own))


def _called(served: Served, project: str | None) -> str:
    """As it is said on the command line: with its project only where another one was asked for."""
    name = f"{served.stack}/{served.endpoint}"
    return name if project in (None, served.project) else f"{name} of project {served.project}"


def _which(asked_for: Given, home: Path, why: str) -> str:
    files = ", ".join(file.name for file in sorted(home.glob("Pulumi.*.yaml"))) or "no Pulumi.<stack>.yaml"
    said = f" of stack {asked_for.stack!r}" if asked_for.stack else ""
    asked = f"there is no endpoint or stack {asked_for.name!r}" if asked_for.name else f"there is no endpoint{said}"
    asked += f" in project {asked_for.project!r}" if asked_for.project else ""
    return f"NAME: {asked} ({files} in {home}; {why}). Say STACK/ENDPOINT, and check --project, --region and the AWS account."


def find_home(folder: Path) -> Path:
    """The folder with the Pulumi.yaml, here or above, as Pulumi looks for it."""
    return next((place for place in (folder, *folder.parents) if (place / "Pulumi.yaml").is_file()), folder)


def _stack(in_name: str, option: str | None, home: Path, environment: Mapping[str, str]) -> str | None:
    """From the name, the option, the environment or the only stack file; an organization before it is Pulumi's affair."""
    in_name, option = _last(in_name), _last(option or "")
    if in_name and option and in_name != option:
        raise BadInput((f"--stack: the name says stack {in_name!r}, the option {option!r}. Say one of them.",))
    found = in_name or option or _last(environment.get("PULUMI_STACK", ""))
    if found:
        return found
    stacks = [file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in sorted(home.glob("Pulumi.*.yaml"))]
    return stacks[0] if len(stacks) == 1 else None


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
