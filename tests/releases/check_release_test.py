#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scripts/check-release on the libvirt of this system, and shown to find what it is there to find."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts/check-release"
OURS = ""


def check(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def failures(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.startswith("  FAIL")]


class CheckRelease(unittest.TestCase):
    def test_the_libvirt_of_this_system_is_as_expected(self) -> None:
        code, lines = check()
        self.assertEqual(failures(lines), [])
        self.assertEqual((code, lines[-1]), (0, "7 passed, 0 failed"))

    def test_slots_of_the_other_side_of_11_2_are_refused(self) -> None:
        results = [check("--as-release", release) for release in ("11.1.0", "11.2.0")]
        self.assertEqual(sorted(code for code, _ in results), [0, 1])
        wrong = [line for _, lines in results for line in failures(lines)]
        self.assertEqual(len(wrong), 1)
        self.assertRegex(wrong[0], r"^FAIL hypervisor driver, slots: [\d ]+; expected [\d ]+$")

    def test_a_release_older_than_the_oldest_is_refused(self) -> None:
        code, lines = check("--as-release", "8.10.0")
        self.assertEqual(code, 1)
        self.assertIn("FAIL not older than 9.0.0", failures(lines))

    def test_our_own_module_is_not_taken_for_libvirts(self) -> None:
        code, lines = check("--module", OURS)
        self.assertEqual(code, 1)
        self.assertIn("it is not the module that came with it", failures(lines)[0])

    def test_a_system_without_libvirt_is_not_a_success(self) -> None:
        code, lines = check("/nonexistent")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed"))


if __name__ == "__main__":
    OURS = sys.argv.pop(1)
    unittest.main()
