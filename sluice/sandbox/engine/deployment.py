"""One run over one stack: brings each resource the program registers to its goal, in the order they come.

Decides create, update, replace or same, as Pulumi's step generator does. Talking to AWS is left to the provider,
deletions to `removal`, the SDK's protocol to the monitor.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sluice.sandbox.engine import lookups, provider
from sluice.sandbox.engine.goal import Failed, Goal, Op, StepResult
from sluice.sandbox.engine.paths import keep_old, touches
from sluice.sandbox.engine.provider import Diff, HalfMade
from sluice.sandbox.engine.provisioning import (
    Provisioning,
    is_provider,
    kind_of,
    record_of,
    secret_names,
    sentences_about,
)
from sluice.sandbox.engine.removal import Removal
from sluice.sandbox.engine.state import Record, State
from sluice.sandbox.engine.wire import Properties, reveal


@dataclass(slots=True)
class Deployment:
    provisioning: Provisioning
    dry_run: bool
    steps: list[StepResult] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)  # deleted ahead of their own replacement
    replaced: set[str] = field(default_factory=set)

    @property
    def state(self) -> State:
        return self.provisioning.state

    @property
    def removal(self) -> Removal:
        return Removal(self.provisioning, self.dry_run)

    def register(self, goal: Goal) -> Record:
        """Bring one resource to its goal; the record has outputs and id (empty: not known in this preview)."""
        self._first_time(goal)
        old = self._previous(goal)
        if not goal.custom or is_provider(goal.type):
            record = self._paperwork(goal, old)
        else:
            with sentences_about(goal.type, goal.name):
                record = self._provision(goal, old)
        self.state.resources.pop(goal.urn, None)  # the order in state is the order of this run
        self.state.resources[goal.urn] = record
        return record

    def _first_time(self, goal: Goal) -> None:
        if goal.urn in self.seen:
            raise Failed(
                [f"{goal.type} '{goal.name}': registered twice ({goal.urn}). Give one of the two another name"]
            )
        self.seen.add(goal.urn)

    def _previous(self, goal: Goal) -> Record | None:
        for urn in (goal.urn, *goal.aliases):
            record = self.state.resources.get(urn)
            if record is not None and (urn == goal.urn or urn not in self.seen):
                if urn != goal.urn:
                    del self.state.resources[urn]
                    self.state.resources[goal.urn] = record = replace(record, urn=goal.urn)
                return record
        return None

    def _paperwork(self, goal: Goal, old: Record | None) -> Record:
        """Components and providers exist in state alone."""
        identity = f"provider-{goal.name}" if is_provider(goal.type) else ""
        outputs = goal.inputs if goal.custom else (old.outputs if old else {})
        record = record_of(goal, identity, goal.inputs, outputs, frozenset())
        return replace(record, inputs=goal.inputs, outputs=outputs)

    def _provision(self, goal: Goal, old: Record | None) -> Record:
        if old is None or old.external:
            op: Op = "replace" if goal.urn in self.cleared else "create"
            return self._create(goal, op, ())
        before = reveal(old.inputs)
        new = self.provisioning.check(goal, keep_old(before, reveal(goal.inputs), goal.ignore_changes), before)
        new = keep_old(before, new, goal.ignore_changes)  # what the check filled in counts as well
        diff = provider.diff(kind_of(goal.type), before, new)
        if self._must_replace(goal, old, diff):
            return self._replace(goal, old, diff)
        if diff.changed or old.unfinished:
            return self._update(goal, old, new, diff.names)
        self._step("same", goal, ())
        return record_of(goal, old.id, new, reveal(old.outputs), secret_names(goal, old))

    def _must_replace(self, goal: Goal, old: Record, diff: Diff) -> bool:
        return (
            bool(diff.replaces)
            or any(touches(path, goal.replace_on_changes) for path in diff.changed)
            or goal.replacement_trigger != old.replacement_trigger
            or bool(self.replaced & set(goal.replace_with))
        )

    def _create(self, goal: Goal, op: Op, changed: tuple[str, ...]) -> Record:
        kind = kind_of(goal.type)
        inputs = self.provisioning.check(goal, goal.inputs, None)
        secrets = secret_names(goal, None)
        if self.dry_run:
            self._step(op, goal, changed)
            return record_of(goal, "", inputs, provider.planned(kind, inputs, None), secrets)
        try:
            identity, outputs = provider.create(self.provisioning.aws(inputs, goal.provider), kind, inputs)
        except HalfMade as half:
            done = {name: value for name, value in inputs.items() if name not in half.missing}
            record = record_of(goal, half.identity, done, half.outputs, secrets)
            self.state.resources[goal.urn] = replace(record, unfinished=True)
            self._made(goal)
            raise
        self._made(goal)
        self._step(op, goal, changed)
        return record_of(goal, identity, inputs, outputs, secrets)

    def _made(self, goal: Goal) -> None:
        self.state.names_drawn[goal.urn] = self.state.names_drawn.get(goal.urn, 0) + 1

    def _update(self, goal: Goal, old: Record, new: Properties, names: tuple[str, ...]) -> Record:
        kind, outputs = kind_of(goal.type), reveal(old.outputs)
        if self.dry_run:
            after = provider.planned(kind, new, outputs)
        else:
            aws = self.provisioning.aws(new, goal.provider)
            after = provider.update(aws, kind, old.id, reveal(old.inputs), new, outputs, names)
        self._step("update", goal, names)
        return record_of(goal, old.id, new, after, secret_names(goal, old))

    def _replace(self, goal: Goal, old: Record, diff: Diff) -> Record:
        """The new thing takes the goal as written: what `ignoreChanges` kept belongs to the old one only."""
        if old.protect and goal.protect:
            why = ", ".join(diff.names) or "its options"
            raise Failed(
                [
                    f"{goal.type} '{goal.name}' is protected and the change of {why} would replace it. "
                    "Undo the change, or remove `protect` first"
                ]
            )
        self.replaced.add(goal.urn)
        made = self.state.names_drawn.get(goal.urn, 0)
        first = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        self.state.resources[goal.urn] = old  # under its present URN: until the new thing exists, this is what there is
        if first:
            waiting = set(self.state.resources) - self.seen
            for record in self.removal.clear_the_way(old, waiting):
                self.cleared.add(record.urn)
                if record.retain_on_delete:
                    self.steps.append(StepResult("retain", record.urn, record.type, record.name))
            return self._create(goal, "replace", diff.names)
        try:
            return self._create(goal, "replace", diff.names)
        finally:
            if self.state.names_drawn.get(goal.urn, 0) > made:  # also when the new thing is only half made
                self.state.condemned.append(old)

    def read(self, goal: Goal, identity: str) -> Record:
        """A thing that is not ours (`Endpoint.get`): looked up on every run, never changed."""
        self._first_time(goal)
        with sentences_about(goal.type, goal.name):
            kind = kind_of(goal.type)
            outputs = provider.read(self.provisioning.aws(goal.inputs, goal.provider), kind, identity)
        record = record_of(goal, identity, goal.inputs, outputs, secret_names(goal, None))
        self.state.resources[goal.urn] = replace(record, external=True)
        self._step("read", goal, ())
        return record

    def look_up(self, token: str, arguments: Properties, reference: str) -> Properties:
        settings = self.provisioning.settings(reference)
        aws = self.provisioning.door.into(str(arguments.get("region") or settings.region))
        with sentences_about("function", token):
            return lookups.look_up(aws, settings, token, arguments)

    def note_outputs(self, urn: str, outputs: Properties) -> None:
        record = self.state.resources.get(urn)
        if record is not None:
            self.state.resources[urn] = replace(record, outputs=outputs)

    def finish(self) -> None:
        """After the program: delete what it no longer names and what was replaced."""
        gone = sorted(self.cleared - self.seen)
        self.steps += [StepResult("delete", urn, *_type_and_name(urn)) for urn in gone]
        for step in self.removal.sweep(self.seen, self.replaced):
            self.steps.append(step)  # one by one: what was done before a failure is told

    def _step(self, op: Op, goal: Goal, changed: tuple[str, ...]) -> None:
        self.steps.append(StepResult(op, goal.urn, goal.type, goal.name, changed))


def _type_and_name(urn: str) -> tuple[str, str]:
    _, _, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name
