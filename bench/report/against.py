# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table that says what a change costs beside the build before it."""

import statistics
from typing import Any

from measuring.rounds import median

from .tables import table, time

UNITS = {"resident": lambda number: f"{number / 1024:,.0f} KiB", "per_second": lambda n: f"{n:,.0f}/s"}
SHOWN = ("wall", "cpu", "seconds", "resident", "per_second")


def ratios(ours: list[float], earlier: list[float]) -> tuple[float, float]:
    """The median of the rounds' ratios, and half the width that most of such medians fall in:
    1.57 times the quartiles' distance over the root of the number (McGill, Tukey, Larsen 1978)."""
    of = [a / b for a, b in zip(ours, earlier, strict=True)]
    if len(of) < 4:
        return median(of), 0.0
    low, _middle, high = statistics.quantiles(of, n=4)
    return median(of), 1.57 * (high - low) / len(of) ** 0.5


def row(kind: str, name: str, figure: str, samples: dict[str, Any]) -> list[str]:
    show = UNITS.get(figure, time)
    ours, earlier = samples["ours"][figure], samples["earlier"][figure]
    of, width = ratios(ours, earlier)
    return [f"{kind}: {name}", figure, show(median(earlier)), show(median(ours)), f"{of:.3f}", f"± {width:.3f}"]


def against_table(found: dict[str, Any]) -> str:
    rows = [row(kind, name, figure, samples)
            for kind, things in found.items() for name, samples in things.items()
            for figure in SHOWN if figure in samples["ours"]]
    return table(["what", "figure", "earlier", "this build", "ratio", "of most medians"], rows)
