"""The pages behind a signed link, for a phone at night: what would be done and on what evidence, one field, one button. No script."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from sluice.link import Offer

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address is the key
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
_STYLE = """
:root { color-scheme: light dark; --page: #f3f4f2; --card: #fff; --ink: #1b1f1d; --soft: #5b655f; --line: #d9ddd9;
  --approve: #1f6f4a; --abort: #b3261e; --done: #1f6f4a; --refused: #8a5a00 }
@media (prefers-color-scheme: dark) { :root { --page: #121513; --card: #1b1f1d; --ink: #e9ece9; --soft: #a2aca6; --line: #343b37;
  --approve: #2c8a5e; --abort: #d0453c; --done: #5cc795; --refused: #e0a84a } }
* { box-sizing: border-box }
body { margin: 0; padding: 1.5rem 1rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-top: .35rem solid var(--mark); border-radius: .6rem }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2 }
p { margin: 0 0 1.25rem; overflow-wrap: anywhere }
dl { margin: 0 0 1.25rem; border-top: 1px solid var(--line) }
dl div { display: grid; grid-template-columns: 7.5rem 1fr; gap: .75rem; padding: .45rem 0; border-bottom: 1px solid var(--line) }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
label { font-weight: 600 } small { display: block; color: var(--soft); font-weight: 400 }
input, button { width: 100%; font: inherit; padding: .7rem .8rem; border-radius: .4rem }
input { margin: .4rem 0 .8rem; border: 1px solid var(--soft); background: var(--page); color: inherit }
button { border: 0; background: var(--mark); color: #fff; font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid color-mix(in srgb, var(--mark) 55%, transparent); outline-offset: 2px }
@media (max-width: 24rem) { dl div { grid-template-columns: 1fr; gap: 0 } }
"""
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} - Sluice</title><style>{style}</style>
<main style="--mark: var(--{mark})"><h1>{title}</h1><p>{text}</p>{rest}</main></html>"""
_FORM = """<form method="post"><input type="hidden" name="token" value="{token}">
<label>Why?<small>Kept with the decision, for whoever asks later.</small>
<input name="reason" required maxlength="{longest}" autocomplete="off"></label><button>{word}</button></form>"""


def offered(token: str, found: Offer, longest_reason: int) -> dict[str, Any]:
    """Nothing happens before somebody sends the form: mail scanners and previews open links too."""
    word = found.link.action.capitalize()
    form = _FORM.format(token=html.escape(token, quote=True), word=word, longest=longest_reason)
    return page(200, f"{word}?", found.sentence, found.link.action, _facts(found.facts) + form)


def done(sentence: str, endpoint: str) -> dict[str, Any]:
    """What came of it, and how to see what comes of that."""
    after = (("How it goes on", f"sluice status {endpoint}"), ("The link", "is used up. This page can be closed."))
    return page(200, "Done", sentence, "done", _facts(after))


def refused(code: int, sentence: str) -> dict[str, Any]:
    return page(code, "Refused", sentence, "refused", _facts((("Changed", "nothing"),)))


def page(code: int, title: str, text: str, mark: str, rest: str = "") -> dict[str, Any]:
    """`mark` names the colour; `rest` is HTML already."""
    body = _PAGE.format(title=html.escape(title), text=html.escape(text), style=_STYLE, mark=mark, rest=rest)
    return {"statusCode": code, "headers": _HEADERS, "body": body}


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{html.escape(word)}</dt><dd>{html.escape(said)}</dd></div>" for word, said in facts)
    return f"<dl>{rows}</dl>" if rows else ""
