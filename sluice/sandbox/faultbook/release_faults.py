"""Releases that are bad, and rollouts that are unusual."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

from sluice.aws.clients import client
from sluice.sandbox.faultbook.fault import (
    BEFORE,
    LAST_SHIFT,
    REHEARSING,
    SECOND_BAKE,
    SOAKING,
    WENT_OFF,
    Fault,
    settled,
    taken_back,
)
from sluice.sandbox.faultbook.scene import Scene

_LARGE_RADIUS = 17.0
"""v3 has never seen larger nuclei and fails on them."""
_FAULT = "ConnectionError: the feature store does not answer"
_NO_MODEL = b"this is no archive"


def _breaks(scene: Scene) -> None:
    scene.note("from here every request to the new release fails")
    scene.endpoints.break_slot(scene.endpoint, "green", _FAULT)


def _breaks_at_first_exposure(scene: Scene) -> None:
    scene.note("the release passes its smoke test, and fails every request from then on")
    scene.endpoints.break_slot(scene.endpoint, "green", _FAULT)


def _both_break(scene: Scene) -> None:
    scene.note("a service that both releases need goes down: every request fails, on either slot")
    for slot in ("blue", "green"):
        scene.endpoints.break_slot(scene.endpoint, slot, _FAULT)
    scene.wait(1800)
    for slot in ("blue", "green"):
        scene.endpoints.break_slot(scene.endpoint, slot, None)
    scene.note("the service is back")


def _small_then_large(scene: Scene) -> None:
    """v3 passes every step as long as nobody sends large nuclei."""
    traffic = scene.traffic
    if traffic is None:
        raise RuntimeError("no traffic flows yet")
    everything = traffic.load
    small = [i for i, row in enumerate(everything.payloads) if float(row.split(b",")[0]) < _LARGE_RADIUS]
    payloads, truth = [everything.payloads[i] for i in small], [everything.truth[i] for i in small]
    traffic.load = replace(everything, payloads=payloads, truth=truth)
    scene.note("clients send only small nuclei, which v3 can serve")
    scene.up("v3")
    scene.until(SOAKING)
    traffic.catch_up()
    traffic.load = everything
    scene.note("clients send large nuclei too, on which v3 fails")


def _reuses_slot(scene: Scene) -> None:
    """green still holds the release that was taken back."""
    scene.up("v3")
    scene.until_ended()
    scene.note("v3 was taken back and is kept in green as evidence; pulumi up with v2")
    scene.up("v2")


def _retires_slot(scene: Scene) -> None:
    """blue is given up after v2's soak; then it is needed again."""
    scene.up("v2")
    scene.until_ended()
    scene.run(lambda: scene.head.cleanup is None, 3600)
    slots = ", ".join(route.slot for route in scene.endpoints.routes(scene.endpoint))
    scene.note(f"v2 is settled and the old slot is given up: the endpoint has {slots}; pulumi up with v3")
    scene.up("v3")


def _no_archive(scene: Scene) -> None:
    document = dict(scene.example.document("v2"))
    url = "s3://sluice-example-models/triage/broken/model.tar.gz"
    checksum = hashlib.sha256(_NO_MODEL)
    client("s3").put_object(
        Bucket="sluice-example-models",
        Key="triage/broken/model.tar.gz",
        Body=_NO_MODEL,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=base64.b64encode(checksum.digest()).decode(),
    )
    scene.note("pulumi up with a release whose archive is complete and is no archive")
    scene.up_with({**document, "name": "v2-broken", "artifact": {"url": url, "sha256": checksum.hexdigest()}})


def _fails_smoke_test(scene: Scene) -> None:
    """v3 as it is, with sample inputs that show what is wrong with it."""
    document = dict(scene.example.document("v3"))
    rows = [row.decode() for row in scene.example.load().payloads]
    large = [row for row in rows if float(row.split(",")[0]) >= _LARGE_RADIUS]
    scene.note("pulumi up with v3 and a sample input of a large nucleus")
    scene.up_with({**document, "smoke": {**document["smoke"], "inputs": large[:1]}})


_TINY = {
    "steps": [
        {"weight": 0.1, "bake": {"min": "10m", "max": "30m"}, "on_inconclusive": "hold"},
        {"weight": 0.5, "bake": {"min": "10m", "max": "30m"}, "on_inconclusive": "hold"},
        {"weight": 100},
    ],
    "min_samples": 10,
}


def _tiny(scene: Scene) -> None:
    scene.up("v2")
    for parts in (10, 50):
        scene.run(lambda parts=parts: (live := scene.head.live) is None or live.canary_parts == parts)  # type: ignore[misc]
        scene.run(lambda: scene.head.live is None or scene.share("green") > 0, 600)
        scene.run(lambda parts=parts: round(10_000 * scene.share("green")) == parts, 60)  # type: ignore[misc]
        scene.note(f"green gets {100 * scene.share('green'):g} % of traffic")
        if round(10_000 * scene.share("green")) != parts:
            scene.wrong.append(f"asked for {parts / 100:g} %, green gets {100 * scene.share('green'):g} %")


FAULTS = (
    Fault(
        "errors-at-once",
        "every request fails from the first one on",
        REHEARSING,
        _breaks_at_first_exposure,
        taken_back(WENT_OFF),
    ),
    Fault(
        "errors-in-a-bake",
        "every request fails from one minute to the next",
        SECOND_BAKE,
        _breaks,
        taken_back(WENT_OFF),
    ),
    Fault(
        "errors-at-100-percent",
        "every request fails from the moment on in which everything is asked for the new release",
        LAST_SHIFT,
        _breaks,
        taken_back(WENT_OFF),
    ),
    Fault(
        "errors-in-soak",
        "the release fails every request after it was promoted",
        SOAKING,
        _breaks,
        taken_back("no stable traffic is left to compare with"),
    ),
    Fault(
        "inputs-change-in-soak",
        "after promotion clients send inputs that the release cannot serve",
        BEFORE,
        _small_then_large,
        taken_back("no stable traffic is left to compare with"),
        release="v3",
    ),
    Fault(
        "shared-incident",
        "a service that both releases need goes down for half an hour",
        SECOND_BAKE,
        _both_break,
        taken_back("a shared incident lasted 15 min, so the canary goes to be sure"),
    ),
    Fault(
        "archive-broken",
        "the model archive cannot be unpacked",
        BEFORE,
        _no_archive,
        taken_back("is no readable model.tar.gz"),
    ),
    Fault(
        "smoke-test-fails",
        "the release cannot answer its own sample inputs",
        BEFORE,
        _fails_smoke_test,
        taken_back("smoke test failed: sample input 0"),
    ),
    Fault("tiny-weights", "steps of 0.1 % and 0.5 %", BEFORE, _tiny, settled(), policy=_TINY),
    Fault(
        "reused-slot", "a release goes into the slot of one that was taken back", BEFORE, _reuses_slot, settled("v2")
    ),
    Fault(
        "retired-slot",
        "the old slot was given up, and the next release fails in the new one",
        BEFORE,
        _retires_slot,
        taken_back(WENT_OFF.replace("green", "blue"), "v2"),
        policy={"after_soak": "retire"},
    ),
)
