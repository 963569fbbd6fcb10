# SPDX-License-Identifier: LGPL-2.1-or-later
"""A chart as SVG text: cost against number, both axes logarithmic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
NEAR = 30  # of the right end: a curve that ends there has its name beside the chart
COLOURS = {"stock": "#c1440e", "ours": "#1f6f8b", "ours, sealed": "#6a4c93", "floor": "#777777"}
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True)
class Series:
    name: str  # one of COLOURS
    points: Sequence[tuple[float, float]]  # number of secrets, seconds


def label_of_time(seconds: float) -> str:
    for unit, name in UNITS:
        if seconds >= unit * 0.999:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0e} s"


def label_of_number(number: float) -> str:
    return f"{number / 1e6:.0f}M" if number >= 1e6 else f"{number / 1e3:.0f}k" if number >= 1e3 \
        else f"{number:.0f}"


class Axis:
    """Whole decades around the values, from one place to another."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        self.first = math.floor(math.log10(min(values)) + 1e-9)
        self.last = max(math.ceil(math.log10(max(values)) - 1e-9), self.first + 1)
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        part = (math.log10(value) - self.first) / (self.last - self.first)
        return self._begin + part * (self._end - self._begin)

    def decades(self) -> list[float]:
        return [10.0 ** power for power in range(self.first, self.last + 1)]


def chart(title: str, series: Sequence[Series]) -> str:
    shown = [one for one in series if one.points]
    points = [point for one in shown for point in one.points]
    if not points:
        raise ValueError(f"nothing to show in '{title}'")
    x = Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, TOP - 16, title, size=14),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "secrets", anchor="middle"),
    ]
    for value in x.decades():
        lines.append(line(x.place(value), TOP, x.place(value), HEIGHT - BOTTOM, "#dddddd"))
        lines.append(text(x.place(value), HEIGHT - BOTTOM + 18, label_of_number(value), anchor="middle"))
    for value in y.decades():
        lines.append(line(LEFT, y.place(value), WIDTH - RIGHT, y.place(value), "#dddddd"))
        lines.append(text(LEFT - 8, y.place(value) + 4, label_of_time(value), anchor="end"))
    at_end = [one for one in shown if x.place(one.points[-1][0]) > WIDTH - RIGHT - NEAR]
    labels = dict(zip((one.name for one in at_end),
                      spread([y.place(one.points[-1][1]) for one in at_end]), strict=True))
    for one in shown:
        lines += curve(one, x, y, labels.get(one.name))
    return "\n".join([*lines, "</svg>", ""])


def curve(series: Series, x: Axis, y: Axis, label: float | None) -> list[str]:
    """With its name at that height at the right end, or else above its last point."""
    colour = COLOURS[series.name]
    places = [(x.place(number), y.place(seconds)) for number, seconds in series.points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    last = places[-1]
    if label is None:
        name = [text(last[0], last[1] - 8, series.name, anchor="middle", colour=colour)]
    else:
        name = [line(*last, WIDTH - RIGHT + 10, label - 4, colour, width=0.5),
                text(WIDTH - RIGHT + 14, label, series.name, colour=colour)]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places),
        *name,
    ]


def spread(places: Sequence[float], least: float = 16) -> list[float]:
    """The places of labels, moved apart where they would cover each other."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda i: places[i])
    for before, after in zip(order, order[1:]):
        moved[after] = max(moved[after], moved[before] + least)
    return [place + 4 for place in moved]


def text(x: float, y: float, content: str, *, anchor: str = "start", size: int = 12,
         colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" ' \
        f'fill="{colour}">{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" ' \
        f'stroke-width="{width:g}"/>'
