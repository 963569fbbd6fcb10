# SPDX-License-Identifier: LGPL-2.1-or-later
"""The load of a store: a process that opens an embedded root, beside the floor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .plan import Plan
from .programs import Failed, Figures
from .rounds import interleave


def open_once(plan: Plan, module: str, root: Path, count: int) -> Figures:
    with plan.programs.embedded(module, root, count) as client:
        return client.opened


def read_once(plan: Plan, directory: Path, count: int) -> Figures:
    figures = plan.programs.once("floor_reads", directory)
    if figures["files"] != 2 * count:
        raise Failed(f"{directory} has {figures['files']:g} files instead of {2 * count}")
    return figures


def measure(plan: Plan, form: str, count: int) -> dict[str, Any]:
    """Samples of `floor`, `ours` and, where it can read the store in reasonable time, `stock`."""
    root, directory = plan.stores.root(form, count), plan.stores.directory(form, count)
    sides: dict[str, Callable[[], Figures]] = {
        "floor": lambda: read_once(plan, directory, count),
        "ours": lambda: open_once(plan, "ours", root, count),
    }
    if form == "plain" and count <= plan.stock_limit:
        sides["stock"] = lambda: open_once(plan, "stock", root, count)
    for warm in ("floor", "ours"):  # the page cache, the lock file
        sides[warm]()
    slow = "stock" in sides and count > 10_000
    return dict(interleave(sides, min(plan.rounds, 3) if slow else plan.rounds))


def measure_empty(plan: Plan) -> dict[str, Any]:
    """The opening of an empty root, libraries included."""
    root = plan.stores.root("plain", 0)
    return dict(interleave({module: lambda m=module: open_once(plan, m, root, 0)  # type: ignore[misc]
                            for module in ("stock", "ours")}, plan.rounds * 3))
