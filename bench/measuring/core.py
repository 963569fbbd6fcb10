# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts that know nothing of libvirt, with Google Benchmark."""

import json
from typing import Any

from .plan import Plan


def measure(plan: Plan) -> dict[str, Any]:
    """Nanoseconds, by the name of the benchmark."""
    least = min(0.2, plan.seconds / 5)
    text = plan.programs.run("core_bench", "--benchmark_format=json",
                             f"--benchmark_min_time={least}")
    return {entry["name"]: entry["real_time"] for entry in json.loads(text)["benchmarks"]}
