# SPDX-License-Identifier: LGPL-2.1-or-later
"""A reload with nothing changed, and calls beside it, in a process that is its own session daemon."""

from contextlib import ExitStack
from typing import Any

from .load import read_once
from .plan import Plan
from .rounds import interleave


def measure(plan: Plan) -> dict[str, Any]:
    """`ours` and `floor`: seconds of the reload; `get idle`, `get reload`: latencies."""
    count = plan.large
    directory = plan.stores.directory("plain", count)
    with ExitStack() as stack:
        ours = stack.enter_context(
            plan.programs.session("ours", plan.stores.session(count), count))
        found: dict[str, Any] = dict(interleave({
            "floor": lambda: read_once(plan, directory, count),
            "ours": lambda: ours.ask("reload"),
        }, plan.rounds))
        for name in ("get", "usage"):
            found[name] = interleave(
                {beside: lambda b=beside: ours.ask(f"latency {name} {plan.seconds} {b}")  # type: ignore[misc]
                 for beside in ("idle", "reload")}, max(1, plan.rounds // 2))
    return found
