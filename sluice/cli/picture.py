"""A forecast as a picture, PNG or SVG by the file's name: which error increases are caught, and how the what-ifs end."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.core.errors import BadInput

if TYPE_CHECKING:  # matplotlib and numpy come with the extra `forecast`
    from matplotlib.axes import Axes

    from sluice.forecast.forecast import Forecast

KINDS = (".png", ".svg")
_CAUGHT = 0.9
_GOOD, _BACK, _MISSED, _REST = "#0b6e4f", "#b3361e", "#e0a100", "#bbbbbb"
_INCHES, _DOTS = (10.0, 4.6), 120
_APART = 1.6
"""Factors nearer than this would have their words in each other's way."""
_ROOM = 0.3
"""A bar shorter than this has no room for its minutes."""
_STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "sluice",  # equal forecasts give equal files
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def can_draw(file: Path) -> None:
    """Raises BadInput for a name that says neither PNG nor SVG, and where nothing can draw: before the minutes of simulation."""
    if file.suffix not in KINDS:
        raise BadInput((f"--picture: must end in .png or .svg, got {str(file)!r}",))
    if not file.absolute().parent.is_dir():
        raise BadInput((f"--picture: there is no folder {str(file.absolute().parent)!r}: make it first",))
    if find_spec("matplotlib") is None:
        raise BadInput(("--picture: is drawn with matplotlib, which is not installed: pip install 'sluice[forecast]'",))


def draw_forecast(made: Forecast, title: str, file: Path) -> None:
    """Left the chance that each factor on the error rate is caught, right what became of each what-if."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(dict(_STYLE)):  # type: ignore[arg-type]
        figure = Figure(figsize=_INCHES, layout="constrained")
        figure.suptitle(f"{title} at {made.rps:g} requests/s ({made.rollouts:,} rollouts each, seed {made.seed})")
        curve, ends = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
        _curve(curve, made)
        _ends(ends, made)
        metadata = {"Date": None} if file.suffix == ".svg" else {}
        figure.savefig(file, dpi=_DOTS, metadata=metadata)


def _curve(axes: Axes, made: Forecast) -> None:
    axes.set_title("which error increases are caught")
    axes.set_ylim(-0.02, 1.04)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    if not made.curve:
        axes.text(0.5, 0.5, "the policy has no error rate to increase", ha="center", transform=axes.transAxes)
        axes.set_xticks([])
        return
    factors, shares = zip(*made.curve, strict=True)
    axes.set_xscale("log")
    axes.grid(axis="y", color="#e5e5e5")
    axes.axhline(_CAUGHT, color=_GOOD, linestyle="--", linewidth=1)
    axes.plot(factors, shares, color=_GOOD, marker="o", markersize=4)
    shown: list[float] = []
    for factor in factors:
        if not shown or factor >= _APART * shown[-1]:
            shown.append(factor)
    axes.set_xticks(shown, labels=[f"x{factor:g}" for factor in shown])
    axes.set_xticks([], minor=True)
    smallest = made.smallest_error_increase
    caught = "nothing is caught with 90 %" if smallest is None else f"90 % from x{smallest:.2g}"
    axes.annotate(caught, (1.0, _CAUGHT), xycoords=("axes fraction", "data"), ha="right", va="top", xytext=(0, -4),
                  textcoords="offset points")  # fmt: skip
    axes.set_xlabel("factor on the error rate")


def _ends(axes: Axes, made: Forecast) -> None:
    """One bar per what-if, the first on top: taken back, promoted (rightly or not), and what is left held."""
    names, begun = [fate.name for fate in made.fates], [0.0] * len(made.fates)
    ends = {
        ("taken back", _BACK): [fate.rolled_back for fate in made.fates],
        ("promoted", _GOOD): [0.0 if fate.harmful else fate.promoted for fate in made.fates],
        ("promoted, and harmful", _MISSED): [fate.promoted if fate.harmful else 0.0 for fate in made.fates],
        ("held", _REST): [max(0.0, 1 - fate.rolled_back - fate.promoted) for fate in made.fates],
    }
    for (label, colour), shares in ends.items():
        axes.barh(names, shares, left=begun, color=colour, label=label)
        begun = [before + share for before, share in zip(begun, shares, strict=True)]
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.set_title("how it ends")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4, frameon=False)
    for i, fate in enumerate(made.fates):
        if fate.minutes_median is not None and fate.harmful and fate.rolled_back > _ROOM:
            axes.text(0.01, i, f"after {fate.minutes_median:.0f} min", va="center", color="white")
