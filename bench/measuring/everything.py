# SPDX-License-Identifier: LGPL-2.1-or-later
"""All measures, in an order in which large stores do not stay long."""

from collections.abc import Callable, Iterator
from typing import Any

from . import audit, calls, changes, command, core, daemons, load, reload
from .plan import Plan
from .results import Results

KEPT = 100_000  # stores up to this size stay until the end


def measures(plan: Plan) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "core", lambda: core.measure(plan)
    yield "empty root", lambda: load.measure_empty(plan)
    for count in plan.sizes:
        yield f"load plain {count}", lambda: load.measure(plan, "plain", count)
        yield f"calls {count}", lambda: calls.measure_size(plan, count)
        if count > KEPT:
            plan.stores.release("plain", count)
        yield f"load sealed {count}", lambda: load.measure(plan, "sealed", count)
        if count > KEPT:
            plan.stores.release("sealed", count)
    yield "get by threads", lambda: calls.measure_threads(plan)
    yield "stalls", lambda: calls.measure_stalls(plan)
    for count in sorted({1_000, plan.large}):
        yield f"changes {count}", lambda: changes.measure(plan, count)
    yield "rotation", lambda: changes.measure_rotation(plan)
    yield "costs", lambda: calls.measure_costs(plan)
    yield "reload", lambda: reload.measure(plan)
    yield "daemon start", lambda: daemons.measure_start(plan)
    for count in sorted({1_000, plan.calls}):
        yield f"daemons {count}", lambda: daemons.measure(plan, count)
    yield "audit", lambda: audit.measure(plan)
    yield "command", lambda: command.measure(plan)
    yield "reading of a trail", lambda: command.measure_audit(plan)
    yield "limits", lambda: daemons.measure_limits(plan)


def measure_everything(plan: Plan, results: Results, only: str) -> None:
    results.found["plan"] = {"rounds": plan.rounds, "sizes": plan.sizes, "calls": plan.calls,
                             "large": plan.large, "costs": plan.costs}
    for name, measure in measures(plan):
        if only in name:
            results.failures.pop(name, None)
            results.take(name, measure)
