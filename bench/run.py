#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the driver beside the stock driver and beside floors. See scripts/bench."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the source directory stays as it is
sys.path.insert(0, str(HERE))

from measuring import load  # noqa: E402
from measuring.plan import Plan  # noqa: E402
from measuring.programs import Programs  # noqa: E402
from measuring.results import Results  # noqa: E402
from measuring.rounds import median, ratio  # noqa: E402
from measuring.stores import Stores  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=Path("build"))
    parser.add_argument("--stores", type=Path)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    build = options.build_dir.resolve()
    programs = Programs(build, build / "src/secret_driver/module",
                        Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver"))
    stores = Stores(programs, (options.stores or build / "bench-stores").resolve())
    sizes = tuple(int(size) for size in options.sizes.split(","))
    plan = Plan(programs, stores, options.rounds, sizes, 1000, 16000, 100000, 10000, 100, 0.5)
    results = Results(build / "bench-results.json")
    try:
        results.take("empty", lambda: load.measure_empty(plan))
        for form in ("plain", "sealed"):
            for count in sizes:
                name = f"load {form} {count}"
                results.take(name, lambda: load.measure(plan, form, count))
                found, empty = results.found[name], results.found["empty"]["ours"]
                for figure in ("wall", "cpu"):
                    ours, floor = found["ours"][figure], found["floor"][figure]
                    less = [value - median(empty[figure]) for value in ours]
                    print(f"  {figure:5} ours {median(ours):8.4f} s  floor {median(floor):8.4f} s  "
                          f"ratio {ratio(ours, floor):5.2f}  less empty open {ratio(less, floor):5.2f}")
                stores.release(form, count)
    finally:
        stores.close()
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
