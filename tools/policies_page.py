"""docs/policies.md: the ready-made policies, each with its forecast. `make docs` writes it, a test holds it fresh."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sluice.cli.forecast import sentences_of
from sluice.core.weights import WHOLE, percent_text
from sluice.forecast.forecast import Fate, Forecast, Setting, base_of, forecast
from sluice.schema import read_policy

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "policies.md"
ROLLOUTS, SEED = 200, 20261121
SHOWN = (
    ("standard", (50.0, 500.0)),
    ("cautious", (500.0,)),
    ("low-traffic", (2.0, 10.0)),
    ("emergency", (100.0, 5000.0)),
)
"""Each with the traffic it is made for."""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    return "\n".join(_page()) + "\n"


def inputs() -> str:
    """A digest of everything the page depends on: the policies and the code of the forecast. The test compares it."""
    shown = [ROOT / "policies" / "rollouts" / f"{name}.yaml" for name, _ in SHOWN]
    files = [*shown, *sorted((ROOT / "sluice" / "forecast").glob("*.py"))]
    found = sha256(Path(__file__).read_bytes())
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _page() -> Iterator[str]:
    yield "# Ready-made rollout policies"
    yield ""
    yield f"<!-- inputs {inputs()} -->"
    yield "Written by `make docs`; do not edit. Every number is simulated:"
    yield f"{ROLLOUTS} rollouts for each what-if, seed {SEED}, errors 0.2 % in good times, in a world with clustered errors, lasting"
    yield "noise, cold starts and identical variants that differ by up to 2.5 % ([how](judge.md)). With your own numbers:"
    yield "`sluice forecast policies/rollouts/standard.yaml --rps N --rate errors=0.5%`. Minutes count from the canary's first request"
    yield "and include the two until metrics arrive; preparing the slot comes before."
    for name, traffics in SHOWN:
        yield from section(name, traffics)


def section(name: str, traffics: tuple[float, ...]) -> Iterator[str]:
    """One policy: what it is for, its steps, and its forecast at each traffic."""
    file = ROOT / "policies" / "rollouts" / f"{name}.yaml"
    policy = read_policy(file)
    yield ""
    yield f"## {name}"
    yield ""
    yield f"[{name}.yaml](../policies/rollouts/{name}.yaml): {_purpose(file)}"
    yield ""
    steps = [step for step in policy.steps if step.weight_parts < WHOLE]
    yield "Steps: " + ", ".join(
        f"{percent_text(step.weight_parts)} for {step.bake_min_seconds // 60} to {step.bake_max_seconds // 60} min"
        for step in steps
    )
    for rps in traffics:
        made = forecast(policy, Setting(base_of(policy, rps, {}), rollouts=ROLLOUTS, seed=SEED))
        yield from _forecast(made)
        for sentence in sentences_of(policy, made):
            yield f"- {sentence}"


def _purpose(file: Path) -> str:
    """The first paragraph of the file's comment."""
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    said = []
    for line in lines:
        if not line.startswith("# ") or line.startswith("# Why"):
            break
        said.append(line[2:])
    return " ".join(said)


def _forecast(made: Forecast) -> Iterator[str]:
    yield ""
    yield f"At {made.rps:g} requests a second:"
    yield ""
    yield "| what if | taken back | minutes (median, 95 %) | bad requests | promoted | minutes (median, 95 %) |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(fate) for fate in made.fates)
    yield ""


def _row(fate: Fate) -> str:
    back = _pair(fate.minutes_median, fate.minutes_p95)
    up = _pair(fate.promoted_median, fate.promoted_p95)
    bad = f"{fate.bad_requests:,.0f}" if fate.bad_requests else ""
    return f"| {fate.name} | {100 * fate.rolled_back:.1f} % | {back} | {bad} | {100 * fate.promoted:.1f} % | {up} |"


def _pair(median: float | None, p95: float | None) -> str:
    return "" if median is None or p95 is None else f"{median:.0f}, {p95:.0f}"


if __name__ == "__main__":
    main()
