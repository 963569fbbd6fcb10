# SPDX-License-Identifier: LGPL-2.1-or-later
"""Durable changes, beside the bare system calls that they cannot do without."""

from contextlib import ExitStack
from typing import Any

from .calls import asking, sides_for
from .plan import Plan
from .programs import Figures, Program
from .rounds import interleave
from .stores import make_key

CHANGES = ("define", "redefine", "set", "undefine")
WRITERS = (1, 4)


def measure(plan: Plan, count: int) -> dict[str, Any]:
    """Seconds a change, of each side. The floor works in our side's directory."""
    with ExitStack() as stack:
        sides = sides_for(plan, stack, count)
        sides["floor"] = stack.enter_context(
            Program(plan.programs.path("floor_writes"), plan.stores.directory("plain", count)))
        found: dict[str, Any] = {name: {side: {"seconds": []} for side in sides} for name in CHANGES}
        whole: list[float] = []
        found["undefine"]["whole"] = {"seconds": whole}
        # all four in each round, so that a round leaves the store as it found it
        for number in range(plan.rounds):
            names = list(sides)
            for name in CHANGES:
                for side in names[number % len(names):] + names[:number % len(names)]:
                    seconds = sides[side].ask(f"write {name} {plan.changes} 1")["seconds"]
                    found[name][side]["seconds"].append(seconds)
            for name in ("define", "set", "undefine-whole"):
                seconds = sides["floor"].ask(f"write {name} {plan.changes} 1")["seconds"]
            whole.append(seconds)
        for writers in WRITERS:
            for name in ("set-one", "redefine-one"):
                command = f"write {name} {plan.changes} {writers}"
                found[f"{name} {writers}"] = asking(
                    sides, {side: command for side in sides}, plan.rounds)
        sides["floor"].ask(f"clear {max(WRITERS)}")
    return found


def measure_rotation(plan: Plan) -> dict[str, Any]:
    """Values a second that get another key, beside the same number of bare replacements."""
    directory = plan.stores.new_directory("rotation")
    store, count = directory / "secrets", plan.costs
    keys = [make_key(directory / "one"), make_key(directory / "two")]
    plan.stores.fill(store, count, keys[0])

    def rotate() -> Figures:
        figures = plan.programs.once("rotation", store, *keys)
        keys.reverse()
        return {"per_second": figures["values"] / figures["wall"]}

    with Program(plan.programs.path("floor_writes"), store) as floor:
        def replace() -> Figures:
            return {"per_second": 1 / floor.ask(f"write set-sealed {count} 1")["seconds"]}
        replace()  # the first time there is nothing to replace
        found = interleave({"floor": replace, "ours": rotate}, max(1, plan.rounds // 2))
        floor.ask(f"clear {count}")
    return dict(found)
