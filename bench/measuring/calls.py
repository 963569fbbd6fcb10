# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that read, one at a time and by several threads, in a process with an embedded root."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from .plan import Plan
from .programs import Figures, Program
from .rounds import Samples, interleave

LOOKUPS = ("uuid", "usage", "miss")
FLOOR_OF_LIST = {"count": "checks", "list": "handles"}
THREADS = (1, 2, 4)
BESIDE = ("idle", "set", "bare")


def sides_for(plan: Plan, stack: ExitStack, count: int) -> dict[str, Program]:
    """A process for each module that can have so many secrets."""
    root = plan.stores.root("plain", count)
    modules = ("stock", "ours") if count <= plan.stock_limit else ("ours",)
    sides: dict[str, Program] = {}
    # two processes do not have one store open: the stock driver has a copy
    for module in modules:
        place = root if module == "ours" else plan.stores.copy("plain", count)
        sides[module] = stack.enter_context(plan.programs.embedded(module, place, count))
    return sides


def asking(sides: dict[str, Program], commands: dict[str, str],
           rounds: int) -> dict[str, Samples]:
    def ask(side: str) -> Callable[[], Figures]:
        return lambda: sides[side].ask(commands[side])
    return interleave({side: ask(side) for side in commands}, rounds)


def times_of(name: str, side: str, count: int) -> int:
    """Calls in a round: enough to be timed, few enough where each looks at every secret."""
    if name in FLOOR_OF_LIST:
        return min(100, max(1, 200_000 // count))
    if side == "stock" and name != "uuid":
        return min(20_000, max(100, 3_000_000 // count))
    return 20_000


def measure_size(plan: Plan, count: int) -> dict[str, Any]:
    """Seconds a call, of each side: lookups, count and list of a store of this size."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        sides = sides_for(plan, stack, count)
        table = stack.enter_context(Program(plan.programs.path("floor_lookups"), str(count)))
        for name in LOOKUPS:
            commands = {side: f"read {name} {times_of(name, side, count)}"
                        for side in (*sides, "floor")}
            found[name] = asking({**sides, "floor": table}, commands, plan.rounds)
        for name, floor in FLOOR_OF_LIST.items():
            times = times_of(name, "ours", count)
            commands = {side: f"read count {times}" if name == "count" else f"list {times}"
                        for side in sides}
            # the floor in the same process: the same libvirt, the same memory
            commands["floor"] = f"{floor} {times}"
            found[name] = asking({**sides, "floor": sides["ours"]}, commands, plan.rounds)
    return found


def measure_threads(plan: Plan) -> dict[str, Any]:
    """Values a second, by the number of threads that get them."""
    with ExitStack() as stack:
        sides = sides_for(plan, stack, plan.calls)
        return {str(threads): asking(
            sides, {side: f"threads get {plan.seconds} {threads}" for side in sides}, plan.rounds)
            for threads in THREADS}


def measure_stalls(plan: Plan) -> dict[str, Any]:
    """Latencies of one thread while another does nothing, while it sets values, and while it makes
    the bare system calls of such changes in a directory of its own. All in each round: whether the
    threads that writes wake run on the reader's processor changes from one second to another."""
    found: dict[str, Any] = {}
    directory = plan.stores.new_directory("bare")

    def latency(program: Program, name: str, beside: str) -> Callable[[], Figures]:
        return lambda: program.ask(f"latency {name} {plan.seconds} {beside} {directory}")

    with ExitStack() as stack:
        sides = sides_for(plan, stack, plan.calls)
        for name in ("get", *LOOKUPS, *FLOOR_OF_LIST):
            samples = interleave({f"{beside} {side}": latency(sides[side], name, beside)
                                  for beside in BESIDE for side in sides}, plan.rounds)
            found[name] = {beside: {side: samples[f"{beside} {side}"] for side in sides}
                           for beside in BESIDE}
    return found


def measure_costs(plan: Plan) -> dict[str, Any]:
    """get and set of plain values beside sealed ones and beside the stock driver's."""
    count = plan.costs
    with ExitStack() as stack:
        sides = sides_for(plan, stack, count)
        sealed = plan.stores.root("sealed", count)
        sides["sealed"] = stack.enter_context(plan.programs.embedded("ours", sealed, count))
        return {
            "get": asking(sides, {side: "read get 20000" for side in sides}, plan.rounds),
            "set": asking(sides, {side: f"write set-one {plan.changes} 1" for side in sides},
                          plan.rounds),
        }
