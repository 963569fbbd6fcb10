#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scripts/summarize-tests: nothing skips silently."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/summarize-tests"
GOOD = {"name": "unit / conf", "result": "OK", "stdout": "[       OK ] Uuid.IsParsed (0 ms)\n"}


class Summary(unittest.TestCase):
    def summary(self, *records: dict[str, str]) -> tuple[int, list[str]]:
        with tempfile.TemporaryDirectory(prefix="keyhold-summary-") as directory:
            log = Path(directory, "build/meson-logs/testlog.json")
            log.parent.mkdir(parents=True)
            log.write_text("".join(json.dumps(record) + "\n" for record in records))
            done = subprocess.run([sys.executable, "-B", str(SCRIPT), "build"], cwd=directory,
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    def assertLeftOut(self, what: str, **output: str) -> None:
        code, lines = self.summary(GOOD, {"name": "unit / seal", "result": "OK", **output})
        self.assertEqual(lines, [f"not passed: build: unit / seal: left out {what}", "1 passed, 1 failed"])
        self.assertEqual(code, 1)

    def test_what_passed_is_added_up(self) -> None:
        self.assertEqual(self.summary(GOOD, GOOD), (0, ["2 passed, 0 failed"]))

    def test_what_meson_says_of_a_failure_is_shown(self) -> None:
        for result in ("FAIL", "TIMEOUT", "SKIP"):
            code, lines = self.summary(GOOD, {"name": "unit / seal", "result": result})
            self.assertEqual((code, lines[0]), (1, f"not passed: build: unit / seal: {result}"))

    def test_nothing_run_is_no_success(self) -> None:
        self.assertEqual(self.summary(), (1, ["0 passed, 0 failed"]))

    def test_a_skip_of_googletest_is_named(self) -> None:
        self.assertLeftOut(
            "Both/ShieldKeyTest.Opens/aes",
            stdout="[ RUN      ] Both/ShieldKeyTest.Opens/aes\n[  SKIPPED ] Both/ShieldKeyTest.Opens/aes (0 ms)\n"
                   "[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] Both/ShieldKeyTest.Opens/aes\n")

    def test_a_skip_of_googletest_in_brief_is_noticed(self) -> None:
        self.assertLeftOut("1 test", stdout="[  PASSED  ] 3 tests.\n[  SKIPPED ] 1 test.\n")

    def test_a_disabled_test_of_googletest_is_noticed(self) -> None:
        self.assertLeftOut("1 DISABLED TEST", stdout="[  PASSED  ] 3 tests.\n\n  YOU HAVE 1 DISABLED TEST\n")

    def test_a_skip_of_unittest_is_noticed(self) -> None:
        self.assertLeftOut("skipped=1", stdout="", stderr="Ran 2 tests in 0.1s\n\nOK (skipped=1)\n")
        self.assertLeftOut("skipped=1, test_it (a.B)",
                           stderr="test_it (a.B) ... skipped 'no'\n\nOK (skipped=1)\n")

    def test_what_a_test_does_not_count_is_shown_and_no_failure(self) -> None:
        code, lines = self.summary(GOOD, {"name": "releases", "result": "OK",
                                          "stdout": "NOT COUNTED sid: build: exit 1\n5 passed, 0 failed\n"})
        self.assertEqual(lines, ["not counted: build: releases: sid: build: exit 1",
                                 "2 passed, 0 failed, 1 not counted"])
        self.assertEqual(code, 0)


if __name__ == "__main__":
    unittest.main()
