# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interleaved rounds: each side once a round, another one first in each, so that what disturbs the
machine for a while disturbs all of them."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from .programs import Figures

Samples = dict[str, list[float]]  # of one side: the figures of all rounds, by name


def interleave(sides: Mapping[str, Callable[[], Figures]], rounds: int) -> dict[str, Samples]:
    found: dict[str, Samples] = {name: {} for name in sides}
    names = list(sides)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            for figure, value in sides[name]().items():
                found[name].setdefault(figure, []).append(value)
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def medians(samples: Samples) -> Figures:
    return {name: median(values) for name, values in samples.items()}


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of the ratios of the rounds."""
    return median([a / b for a, b in zip(of, to, strict=True)])
