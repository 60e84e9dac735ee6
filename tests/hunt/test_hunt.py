"""The simulator hunts the promises of the design: random turmoil, the promises looked at after every step.

`SLUICE_HUNT=5000 pytest tests/hunt/test_hunt.py` hunts for longer.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.sim.strikes import Moment
from sluice.submit import submit
from tests.tick.incidents import (
    ADOPTING,
    CALLS,
    NAMES,
    ORDERS,
    PHASES,
    Alarm,
    Asked,
    Beginning,
    Busy,
    ClockLost,
    Errors,
    Events,
    Incident,
    InConsole,
    Outage,
    Raced,
    Struck,
    let_live,
    live,
    made,
    next_submission,
    owed,
)
from tests.tick.meddling import CLOUDWATCH, METRICS, PARAMETERS, STEP_FUNCTIONS, Skewed, Steered, Swapped

EXAMPLES = int(os.environ.get("SLUICE_HUNT", "60"))
LONGEST_SECONDS = 30 * 3600
"""The longest of all deadlines, a rollback that no endpoint takes, and then some."""

SCALING_SECONDS = 30 * 60
"""Until autoscaling is as it was: the sweep's next minutes, on an endpoint that takes updates."""

moments = st.sampled_from(list(Moment))
counts = st.integers(1, 4)
incidents: st.SearchStrategy[Incident] = st.one_of(
    st.builds(Struck, st.sampled_from(CALLS), moments, st.booleans(), counts, st.sampled_from((1, 1, 3, 40))),
    st.builds(
        Raced,
        st.sampled_from(CALLS),
        moments,
        counts,
        st.sampled_from(("alarm", "tick", "sweep", "abort", "rollback", "submit", *ORDERS)),
        st.sampled_from((0, 1, 5, 16)),
    ),
    st.builds(Busy, st.integers(5, 1800), st.sampled_from(("Updating", "SystemUpdating"))),
    st.builds(InConsole, st.one_of(st.none(), st.sampled_from((0, 500, 1000, 5000, 10_000)))),
    st.builds(Errors, st.sampled_from((0.0, 0.3, 1.0)), st.sampled_from((0.0, 0.0, 0.3))),
    st.builds(Events, st.sampled_from((0, 1, 2)), st.sampled_from((0, 60, 1500))),
    st.builds(Alarm, st.integers(0, len(NAMES) - 1), st.sampled_from(("ALARM", "OK", "broken", "deleted"))),
    st.builds(ClockLost),
    st.builds(
        Outage,
        st.sampled_from(("table", "writes", "clocks", "fresh reads", "capacity", "update", "model", "all of it")),
        st.integers(10, 1500),
    ),
    st.builds(Steered, st.sampled_from((60, 300, 1200)), st.sampled_from((0, 500, 5000, 10_000))),
    st.builds(Swapped, st.booleans()),
    st.builds(Skewed, st.sampled_from((-300, -60, 60, 300))),
    st.sampled_from((CLOUDWATCH, METRICS, STEP_FUNCTIONS, PARAMETERS)),
    st.builds(Asked, st.sampled_from(("abort", "rollback", "submit", *ORDERS))),
)
beginnings = st.builds(
    Beginning,
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.builds(Struck, st.sampled_from(ADOPTING), moments, st.booleans(), st.just(1), counts)),
)
waits = st.one_of(st.integers(0, 900), st.sampled_from(("", "", *PHASES)))
turmoil = st.lists(st.tuples(waits, incidents), max_size=10)


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(beginnings, turmoil)
def test_no_turmoil_breaks_a_promise(beginning: Beginning, happenings: list[tuple[int | str, Incident]]) -> None:
    world, promises = made(beginning)
    submit(world.ports, next_submission(world))

    for wait, incident in happenings:
        let_live(world, promises, wait)
        incident.happen(world, promises)
    world.live(600, promises.looked)
    world.heal()
    world.live(LONGEST_SECONDS, lambda: promises.looked() or live(world) is None)
    world.live(SCALING_SECONDS, lambda: promises.looked() or not owed(world))
    promises.in_the_end()

    assert promises.breaches == [], world.said[-8:]
