# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build beside an earlier one of the same project: what a change costs, in interleaved rounds."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from .load import open_once
from .plan import Plan
from .programs import Client, Figures
from .rounds import Samples, interleave

SIDES = ("ours", "earlier")
READS = {"get": 100_000, "uuid": 20_000, "usage": 20_000, "miss": 20_000, "count": 20, "list": 20}
CHANGES = ("define", "redefine", "set", "undefine")
THREADS = 4

Found = dict[str, dict[str, Samples]]  # of each thing: the samples of both sides


def between(sides: dict[str, Client], command: str, rounds: int) -> dict[str, Samples]:
    def ask(side: str) -> Callable[[], Figures]:
        return lambda: sides[side].ask(command)
    return interleave({side: ask(side) for side in SIDES}, rounds)


def opened(plan: Plan, form: str, count: int, rounds: int) -> dict[str, Samples]:
    def once(side: str) -> Callable[[], Figures]:
        return lambda: open_once(plan, side, plan.stores.root(form, count), count)
    for side in SIDES:  # the page cache, the lock file
        once(side)()
    return interleave({side: once(side) for side in SIDES}, rounds)


def both(plan: Plan, stack: ExitStack, form: str, count: int) -> dict[str, Client]:
    """A process of each; two do not have one store open, so the earlier one has a copy."""
    roots = {"ours": plan.stores.root(form, count), "earlier": plan.stores.copy(form, count)}
    return {side: stack.enter_context(plan.programs.embedded(side, roots[side], count))
            for side in SIDES}


def changes(sides: dict[str, Client], plan: Plan, rounds: int) -> Found:
    """All four in each round, so that a round leaves the store as it found it. Few at a time and
    many rounds: a disk has its good and its bad seconds."""
    found: Found = {name: {side: {"seconds": []} for side in SIDES} for name in CHANGES}
    for number in range(rounds):
        for name in CHANGES:
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                seconds = sides[side].ask(f"write {name} {max(1, plan.changes // 5)} 1")["seconds"]
                found[name][side]["seconds"].append(seconds)
    return found


def add(found: Found, name: str, samples: dict[str, Samples]) -> None:
    for side, figures in samples.items():
        for figure, values in figures.items():
            found.setdefault(name, {}).setdefault(side, {}).setdefault(figure, []).extend(values)


def measures(plan: Plan) -> Iterator[tuple[str, Callable[[], Found]]]:
    count, rounds = plan.costs, plan.rounds
    yield "open", lambda: {"an empty root": opened(plan, "plain", 0, rounds * 6)}
    for form in ("plain", "sealed"):
        yield f"load {form}", lambda form=form: {f"{count} {form}": opened(plan, form, count, rounds * 2)}

    def reads() -> Found:
        # New processes each time: how the records of one came to lie in memory is worth 20 %.
        found: Found = {}
        for _ in range(rounds * 2):
            with ExitStack() as stack:
                sides = both(plan, stack, "plain", count)
                between(sides, f"read get {READS['get']}", 1)  # each record is in the cache, or not
                for name, times in READS.items():
                    command = f"list {times}" if name == "list" else f"read {name} {times}"
                    add(found, name, between(sides, command, 2))
                add(found, "get, threads", between(sides, f"threads get {plan.seconds} {THREADS}", 2))
        return found
    yield "read", reads
    for form in ("plain", "sealed"):
        def change(form: str = form) -> Found:
            with ExitStack() as stack:
                return changes(both(plan, stack, form, count), plan, rounds * 6)
        yield f"change {form}", change


def measure_against(plan: Plan, take: Callable[[str, Callable[[], Any]], None], only: str) -> None:
    for name, measure in measures(plan):
        if only in name:
            take(name, measure)
