#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every row of tests/OPERATORS.md names a test, and every test that it names exists."""

from __future__ import annotations

import ast
import re
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST = re.compile(r"`(\S+\.(?:py|cpp)) (\w+)\.(\w+)`")


def methods(path: Path) -> set[tuple[str, str]]:
    """Class and method of each in a file of Python, suite and name of each test in one of GoogleTest."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".cpp":
        return set(re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text, re.MULTILINE))
    return {(case.name, method.name) for case in ast.parse(text).body if isinstance(case, ast.ClassDef)
            for method in case.body if isinstance(method, ast.FunctionDef)}


def complaints(tests: Path) -> list[str]:
    found = []
    for number, line in enumerate((tests / "OPERATORS.md").read_text(encoding="utf-8").splitlines(), 1):
        cells = re.split(r"(?<!\\) ?\| ?", line)[1:-1]
        if not cells or re.fullmatch("-+", cells[0]) or re.match("(met|mistake)\\b", cells[0]):
            continue
        named = TEST.findall(cells[-1])
        if not named:
            found.append(f"{number}: names no test")
        for file, case, method in named:
            if not (tests / file).is_file() or (case, method) not in methods(tests / file):
                found.append(f"{number}: there is no {file} {case}.{method}")
    return found


class Operators(unittest.TestCase):
    def test_every_row_names_tests_that_exist(self) -> None:
        self.assertGreater(len(TEST.findall((ROOT / "tests/OPERATORS.md").read_text(encoding="utf-8"))), 50)
        self.assertEqual(complaints(ROOT / "tests"), [])

    def test_a_row_without_a_test_and_one_whose_test_has_gone_are_found(self) -> None:
        with tempfile.TemporaryDirectory(prefix="keyhold-operators-") as directory:
            tests = Path(directory)
            (tests / "a.py").write_text("class Case:\n    def test_one(self): ...\ndef test_two(): ...\n", encoding="utf-8")
            (tests / "b.cpp").write_text("TEST_F(Suite, One) {\n// TEST(Suite, Two)\n", encoding="utf-8")
            (tests / "OPERATORS.md").write_text(
                "# A title\n| met | shown gone by |\n|---|---|\n| a | `a.py Case.test_one`, `b.cpp Suite.One` |\n"
                "| b | nothing |\n| c | `a.py Case.test_two` |\n| d | `b.cpp Suite.Two` |\n| e | `c.py Case.test_one` |\n",
                encoding="utf-8")
            self.assertEqual(complaints(tests), ["5: names no test", "6: there is no a.py Case.test_two",
                                                 "7: there is no b.cpp Suite.Two", "8: there is no c.py Case.test_one"])


if __name__ == "__main__":
    ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    unittest.main(argv=sys.argv[:1])
