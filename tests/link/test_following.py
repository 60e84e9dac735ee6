"""Every way a link is refused, and the one way it goes through: on the simulated world, through the function's own handler."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest

from lambdas import link as door
from sluice.core.conditions import Approval, ApprovalThen
from sluice.core.links import BY_LINK, Link, token_of
from sluice.core.rollout import Phase
from sluice.link import made
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import policy, release, step, submission

ONCALL = "arn:aws:sts::123456789012:assumed-role/oncall/*"
HOUR = 3600


@dataclass(frozen=True)
class Key:
    text: bytes = b"key"

    def sign(self, text: bytes) -> bytes:
        return hmac.new(self.text, text, hashlib.sha256).digest()

    def is_mine(self, text: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), mac)


@pytest.fixture(autouse=True)
def wired(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The handler on the simulated world; what it logs."""
    said: list[str] = []
    monkeypatch.setattr(door, "ports", lambda: world.ports)
    monkeypatch.setattr(door, "_signer", Key)
    monkeypatch.setattr(door, "report", lambda sentence, *_args, **_named: said.append(sentence))
    return said


Waiting = Callable[..., Link]


@pytest.fixture
def waiting(world: World) -> Waiting:
    """v2 waits for approval of its second step, by those named; the link that approves it."""

    def go(*by: str) -> Link:
        asks = Approval(by or (ONCALL, BY_LINK), 24 * HOUR, ApprovalThen.ROLLBACK)
        steps = (step(10), replace(step(50), approval=asks), step(100))
        submit(world.ports, replace(submission(), policy=policy(steps=steps)))
        world.run(lambda: live(world).phase is Phase.AWAITING_APPROVAL)
        return Link("approve", "shop", live(world).id, 1, world.now + HOUR)

    return go


def live(world: World):
    return world.store.head("shop").live


def get(token: str) -> tuple[int, str]:
    query = urlencode({"token": token})
    answer = door.handler({"requestContext": {"http": {"method": "GET"}}, "rawQueryString": query}, None)
    return answer["statusCode"], answer["body"]


def post(token: str, reason: str | None = "looks good", **more: Any) -> tuple[int, str]:
    form = {"token": token, **({} if reason is None else {"reason": reason})}
    answer = door.handler({"requestContext": {"http": {"method": "POST"}}, "body": urlencode(form), **more}, None)
    return answer["statusCode"], text_of(answer["body"])


def text_of(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1><p>(.*?)</p>", page, re.DOTALL)
    assert found is not None
    return f"{found[1]}: {found[2]}".replace("&#x27;", "'")


def trail(world: World) -> list[str]:
    return [event.kind for event in world.store.events("shop")]


def test_opening_a_link_shows_what_it_would_do_and_changes_nothing(world: World, waiting: Waiting) -> None:
    token = made(Key(), waiting())
    before = world.store.head("shop")

    for _ in range(3):  # a mail scanner, a preview, a person
        code, page = get(token)

    assert code == 200
    assert text_of(page) == "Approve?: Let v2 go on to 50 % on shop."
    assert f'name="token" value="{token}"' in page
    assert '<form method="post">' in page
    shown = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert shown["Now"] == "v2 has 10 %, v1 the rest; step 1 of 3"
    assert shown["Errors"].startswith("cleared: ")
    assert shown["Good until"].endswith(" UTC, once")
    assert world.store.head("shop") == before


def test_what_an_older_rollout_was_judged_by_is_not_shown_beside_this_one(world: World, waiting: Waiting) -> None:
    older = made(Key(), replace(waiting(), action="abort", step=None))
    assert "<dt>Errors</dt>" in get(older)[1]
    post(older, "wrong day")
    world.run(lambda: live(world) is None)
    submit(world.ports, replace(submission(), release=release("v3")))

    _, page = get(made(Key(), Link("abort", "shop", live(world).id, None, world.now + HOUR)))

    assert "v3 has 0 %, v1 the rest; before step 1 of 3" in page
    assert "<dt>Errors</dt>" not in page


def test_sending_the_form_approves_once_as_a_person_nobody_proved(world: World, waiting: Waiting) -> None:
    token = made(Key(), waiting())

    code, said = post(token)
    world.run(lambda: live(world).canary_parts == 5000)

    assert (code, said) == (200, "Done: 50 % approved by unproven:link: looks good")
    event = next(event for event in world.store.events("shop") if event.kind == "approved")
    assert (event.by, event.facts["proven"], event.facts["reason"]) == ("unproven:link", False, "looks good")
    assert live(world).canary_parts == 5000


def test_a_link_that_was_used_is_refused_also_long_afterwards(world: World, waiting: Waiting) -> None:
    link = replace(waiting(), expires=world.now + 20 * HOUR)
    post(made(Key(), link))
    world.run(lambda: live(world) is None or live(world).canary_parts == 10_000, HOUR)
    events = trail(world)

    for answer in (post(made(Key(), link)), get(made(Key(), link))):
        assert answer[0] == 409
        assert "this link was used already: 50 % approved by unproven:link" in answer[1]
    assert trail(world) == events


def test_an_abort_by_link_takes_the_rollout_back(world: World, waiting: Waiting) -> None:
    token = made(Key(), replace(waiting(), action="abort", step=None))
    assert text_of(get(token)[1]) == "Abort?: End the rollout of v2 on shop: v1 takes everything."

    code, said = post(token, "wrong day")
    world.run(lambda: live(world) is None)

    assert (code, said) == (200, "Done: rolling back v2 from 10 %: aborted by unproven:link: wrong day")
    assert world.store.head("shop").outcome.phase is Phase.ROLLED_BACK
    assert world.canary_parts() == 0
    assert world.store.head("shop").quarantine == (), "nobody saw harm"


def test_an_expired_link_is_refused_and_that_is_kept_once(world: World, waiting: Waiting) -> None:
    token = made(Key(), replace(waiting(), expires=world.now - 1))

    shown = get(token)
    answers = [post(token) for _ in range(3)]

    sentence = (
        "Refused: this link to approve on shop has expired. Ask for it as `sluice approve`, or wait for a new one."
    )
    assert (shown[0], text_of(shown[1])) == (403, sentence)
    assert answers == [(403, sentence)] * 3
    assert trail(world).count("command_refused") == 1
    assert live(world).phase is Phase.AWAITING_APPROVAL


def test_an_altered_link_is_refused_and_strangers_write_no_trail(
    world: World,
    waiting: Waiting,
    wired: list[str],
) -> None:
    link = waiting()
    events = trail(world)
    sooner = token_of(replace(link, expires=link.expires + 1), Key().sign(b"of something else"))
    foreign = made(Key(b"another key"), link)

    for token in (sooner, foreign):
        for answer in (post(token), get(token)):
            assert answer[0] == 403
            assert "this link was altered, or not made by this control plane" in answer[1]
    assert post("nonsense") == (400, "Refused: link: cannot be read. Copy it whole, as it was sent.")
    assert trail(world) == events
    assert len(wired) == 5, "all of it is in the log"


def test_a_link_of_a_rollout_that_is_over_moves_no_other(world: World, waiting: Waiting) -> None:
    link = waiting()
    abort = replace(link, action="abort", step=None)
    post(made(Key(), abort), "wrong day")
    world.run(lambda: live(world) is None)
    assert post(made(Key(), link))[1].endswith("which is over: none is live now.")
    submit(world.ports, replace(submission(), release=release("v3"), nonce="2"))
    other = live(world).id

    code, said = post(made(Key(), replace(abort, expires=abort.expires + 1)))

    assert code == 409
    assert said == f"Refused: this link is about rollout {link.rollout} of shop, which is over: {other} is live now."
    assert live(world).latch is None


def test_a_link_for_another_step_is_refused(world: World, waiting: Waiting) -> None:
    link = replace(waiting(), step=2)

    assert post(made(Key(), link)) == (409, "Refused: this link is about step 3, and step 2 waits: use the newest one.")
    assert post(made(Key(), replace(link, step=None)))[0] == 409


def test_a_step_whose_policy_names_people_is_not_approved_by_a_link(world: World, waiting: Waiting) -> None:
    token = made(Key(), waiting(ONCALL))

    code, said = post(token)

    assert code == 403
    assert said == "Refused: step 2 may not be approved by a link: its policy's `approval.by` does not say `link`."
    assert trail(world)[-1] == "command_refused"
    assert live(world).phase is Phase.AWAITING_APPROVAL


def test_nothing_is_done_without_a_reason(world: World, waiting: Waiting) -> None:
    token = made(Key(), waiting())

    for reason in (None, "", "  "):
        assert post(token, reason) == (400, "Refused: reason: missing. Say why: it is kept with the decision.")
    assert post(token, "x" * 1001)[0] == 400
    assert live(world).phase is Phase.AWAITING_APPROVAL


def test_an_approval_that_came_too_early_or_too_late_is_refused(world: World, waiting: Waiting) -> None:
    link = waiting()
    post(made(Key(), link))
    world.run(lambda: live(world).phase is Phase.BAKING)

    code, said = post(made(Key(), replace(link, expires=link.expires + 1)))

    assert (code, said) == (409, "Refused: v2 on shop is baking: nothing waits for approval.")


def test_while_it_is_taken_back_a_link_changes_nothing(world: World, waiting: Waiting) -> None:
    link = waiting()
    abort = replace(link, action="abort", step=None)
    post(made(Key(), abort), "wrong day")

    code, said = post(made(Key(), replace(abort, expires=abort.expires + 1)), "me too")

    assert code == 409
    assert "is being rolled back already" in said


def test_an_endpoint_that_is_gone_is_no_crash(world: World, waiting: Waiting) -> None:
    assert post(made(Key(), replace(waiting(), endpoint="ward"))) == (
        409,
        "Refused: endpoint 'ward' is not known here any more.",
    )


def test_only_opening_and_sending_are_possible(world: World) -> None:
    for method in ("HEAD", "PUT", "DELETE", None):
        assert door.handler({"requestContext": {"http": {"method": method}}}, None)["statusCode"] == 405


def test_a_page_cannot_be_framed_cached_or_made_to_run_anything(world: World, waiting: Waiting) -> None:
    answer = door.handler(
        {"requestContext": {"http": {"method": "GET"}}, "rawQueryString": urlencode({"token": '"><script>'})}, None
    )

    assert "<script>" not in answer["body"]
    assert answer["headers"]["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer["headers"]["content-security-policy"]
    assert answer["headers"]["cache-control"] == "no-store"
    assert answer["headers"]["referrer-policy"] == "no-referrer"


def test_a_form_that_is_no_form_is_refused(world: World, waiting: Waiting) -> None:
    token = made(Key(), waiting())

    assert post(token, "x" * 9000)[0] == 400
    assert post(token, body="%%%", isBase64Encoded=True)[0] == 400
