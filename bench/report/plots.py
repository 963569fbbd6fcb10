# SPDX-License-Identifier: LGPL-2.1-or-later
"""The charts of docs/performance.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measuring.rounds import median

from .plot import Series, chart
from .targets import CALLS, measured_sizes

Found = dict[str, Any]
CHARTS: Mapping[str, str] = {
    "load": "Load of a store",
    **{name: CALLS[name].capitalize() for name in ("uuid", "usage", "miss", "count", "list")},
}


def load_series(found: Found) -> list[Series]:
    def series(name: str, form: str, side: str) -> Series:
        counts = measured_sizes(found, f"load {form} ")
        return Series(name, [(count, median(found[f"load {form} {count}"][side]["wall"]))
                             for count in counts if side in found[f"load {form} {count}"]])
    return [series("stock", "plain", "stock"), series("ours", "plain", "ours"),
            series("ours, sealed", "sealed", "ours"), series("floor", "plain", "floor")]


def call_series(found: Found, name: str) -> list[Series]:
    counts = measured_sizes(found, "calls ")
    return [Series(side, [(count, median(found[f"calls {count}"][name][side]["seconds"]))
                          for count in counts if side in found[f"calls {count}"][name]])
            for side in ("stock", "ours", "floor")]


def write_plots(found: Found, directory: Path) -> list[str]:
    """Writes a file for each chart there are figures for; returns their names."""
    written = []
    for name, title in CHARTS.items():
        series = load_series(found) if name == "load" else call_series(found, name)
        if not any(one.points for one in series):
            continue
        file = f"performance-{name}.svg"
        (directory / file).write_text(chart(title, series))
        written.append(file)
    return written
