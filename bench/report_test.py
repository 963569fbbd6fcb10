#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page that scripts/bench writes: all targets are in it, and what was not measured is said."""

import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from measuring.programs import Failed, parse  # noqa: E402
from measuring.rounds import interleave, ratio  # noqa: E402
from report.against import against_table  # noqa: E402
from report.page import write_page  # noqa: E402
from report.targets import NOT_SHOWN, Row, rows  # noqa: E402

SIDES = ("stock", "ours", "floor")
TARGETS = ("load, plain", "load, sealed", "daemon, start", "reload", "lookup by uuid", "lookup by usage",
           "lookup by usage, miss", "get value, 1 thread", "get value, 2 threads", "get value, 4 threads",
           "count", "list", "define", "redefine", "set", "undefine", "set, 4 writers", "p99 of",
           "memory a secret, after load", "memory a secret, at most", "libvirtd:", "opening of an empty root",
           "rotation", "get value with a record", "record with sync", "keyhold status", "keyhold verify",
           "keyhold audit verify: processor time", "keyhold audit verify: memory")


def sides(seconds: float, names: tuple[str, ...] = SIDES) -> dict[str, dict[str, list[float]]]:
    """The same for every side."""
    figures = {"seconds": seconds, "wall": seconds, "cpu": seconds, "p99": seconds, "mean": seconds,
               "max": seconds, "per_second": 1 / seconds, "resident": 1e6, "peak": 1e6, "reads": 3,
               "per_write": 1}
    return {name: {figure: [value] * 3 for figure, value in figures.items()} for name in names}


def results() -> dict[str, Any]:
    reads = ("uuid", "usage", "miss", "count", "list")
    found: dict[str, Any] = {
        "plan": {"rounds": 3, "sizes": [1000, 10000, 100000], "calls": 1000, "large": 100000,
                 "costs": 10000},
        "machine": {"processor": "one"},
        "caveats": [],
        "core": {"shieldOpen/32": 100.0},
        "empty root": sides(0.001),
        "get by threads": {threads: sides(1e-6) for threads in ("1", "2", "4")},
        "stalls": {name: {beside: sides(1e-6) for beside in ("idle", "set", "bare")} for name in ("get", *reads)},
        "rotation": sides(1e-3),
        "costs": {name: sides(1e-3, (*SIDES, "sealed")) for name in ("get", "set")},
        "reload": {**sides(0.1), **{name: sides(1e-6, ("idle", "reload")) for name in ("get", "usage")}},
        "audit": {"writer": sides(1e-4, ("bare", "1 caller", "16 callers")),
                  **{place: sides(1e-4, ("off", "without sync", "with sync"))
                     for place in ("in process", "libvirtd")}},
        "command": sides(1, ("status", "verify")),
        "reading of a trail": {"bytes": 10**9, "commands": sides(1, ("audit verify",))},
        "daemon start": sides(1, ("stock, empty", "ours, empty", "ours", "floor")),
        "daemons 1000": {name: sides(1e-4) for name in ("get", "define")},
        "limits": {"listed": 16384, "seconds": 0.1, "list above": "too many", "uuids above": "too many",
                   "counted above": 16385, "value above": "too large", "value kept": True},
    }
    for count in (1000, 10000, 100000):
        found[f"load plain {count}"] = sides(count * 1e-5)
        found[f"load sealed {count}"] = sides(count * 1e-5)
        found[f"calls {count}"] = {name: sides(1e-6) for name in reads}
        found[f"changes {count}"] = {name: sides(1e-3) for name in (
            "define", "redefine", "set", "undefine", "set-one 1", "set-one 4", "redefine-one 1",
            "redefine-one 4")}
    return found


class Against(unittest.TestCase):
    def test_each_figure_is_a_row_with_the_median_of_the_ratios(self) -> None:
        samples = sides(0.001, ("ours", "earlier"))
        samples["ours"]["seconds"] = [0.002, 0.0011, 0.0011, 0.0011]
        samples["earlier"]["seconds"] = [0.001, 0.001, 0.001, 0.001]
        rows = against_table({"read": {"get": samples}}).splitlines()
        seconds = next(row for row in rows if "| seconds |" in row)
        self.assertTrue(seconds.startswith("| read: get | seconds | 1 ms | 1.1 ms | 1.100 |"), seconds)
        self.assertEqual(len(rows), 2 + len(("wall", "cpu", "seconds", "resident", "per_second")))

    def test_rounds_that_agree_have_no_width(self) -> None:
        row = against_table({"read": {"get": sides(0.001, ("ours", "earlier"))}}).splitlines()[2]
        self.assertTrue(row.endswith("| 1.000 | ± 0.000 |"), row)


def rows_of(found: dict[str, Any], what: str) -> list[Row]:
    return [row for row in rows(found) if row.what.startswith(what)]


class Targets(unittest.TestCase):
    def test_each_has_a_row(self) -> None:
        for target in TARGETS:
            shown = rows_of(results(), target)
            self.assertTrue(shown, target)
            self.assertNotIn(NOT_SHOWN, [row.verdict for row in shown], target)

    def test_memory_is_told_of_the_largest_size_that_was_measured(self) -> None:
        found = results()
        del found["load plain 100000"]
        self.assertEqual({row.at for row in rows_of(found, "memory a secret")}, {"10k"})

    def test_one_that_is_missed_says_by_how_much(self) -> None:
        found = results()
        found["calls 1000"]["count"]["ours"]["seconds"] = [2.5e-6] * 3
        bare, beside_stock = rows_of(found, "count")
        self.assertEqual((bare.measured, bare.verdict), ("2.50", "not met: 100 % above"))
        self.assertEqual((beside_stock.measured, beside_stock.verdict), ("0.40", "not met: 73 % below"))

    def test_one_that_is_met_says_so(self) -> None:
        self.assertEqual(rows_of(results(), "rotation")[0].verdict, "met")

    def test_what_was_not_measured_is_said_and_costs_no_other(self) -> None:
        found = results()
        del found["rotation"], found["reload"]
        missing = [row.what for row in rows(found) if row.verdict == NOT_SHOWN]
        self.assertEqual(missing, ["daemon start and reload", "rotation"])
        self.assertTrue(rows_of(found, "daemon, start"))  # what of its part was measured stays


class Page(unittest.TestCase):
    def write(self, found: dict[str, Any], failures: dict[str, str]) -> tuple[str, list[str]]:
        with tempfile.TemporaryDirectory() as directory:
            missing = write_page(found, failures, Path(directory), "## How\n")
            for chart in Path(directory).glob("*.svg"):
                ElementTree.parse(chart)
                self.assertIn(f"({chart.name})", Path(directory, "performance.md").read_text())
            self.assertTrue(list(Path(directory).glob("*.svg")))
            return Path(directory, "performance.md").read_text(), missing

    def test_of_all_results_says_everything(self) -> None:
        text, missing = self.write(results(), {})
        self.assertEqual(missing, [])
        self.assertNotIn("ot measured", text)
        self.assertNotIn("What failed", text)

    def test_says_what_makes_its_figures_worthless(self) -> None:
        found = results()
        self.assertNotIn("not what it costs", self.write(found, {})[0])
        found["caveats"] = ["The machine was on fire."]
        self.assertIn("not what it costs.** The machine was on fire.", self.write(found, {})[0])

    def test_of_a_run_with_failures_names_them(self) -> None:
        found = results()
        del found["limits"]
        text, _ = self.write(found, {"limits": "Failed: libvirtd ended"})
        self.assertIn("* limits: Failed: libvirtd ended", text)
        self.assertIn("Not measured", text)


class Figures(unittest.TestCase):
    def test_nonsense_is_refused(self) -> None:
        self.assertEqual(parse("seconds=0.5 calls=0", "it"), {"seconds": 0.5, "calls": 0})
        for line in ("", "seconds", "seconds=", "seconds=0", "seconds=-1", "wall=inf", "p99=nan"):
            with self.assertRaises(Failed, msg=line):
                parse(line, "it")


class Rounds(unittest.TestCase):
    def test_each_side_is_first_in_its_turn(self) -> None:
        order: list[str] = []
        interleave({name: lambda n=name: order.append(n) or {"seconds": 1} for name in "abc"}, 3)
        self.assertEqual("".join(order), "abcbcacab")

    def test_a_ratio_is_taken_within_a_round(self) -> None:
        self.assertEqual(ratio([1, 20, 3], [1, 10, 1]), 2)


if __name__ == "__main__":
    unittest.main()
