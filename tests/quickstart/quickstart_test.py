#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs scripts/quickstart and holds the transcript in README.md against what it printed."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
OF_README = "/home/alice/keyhold"


def lines_of(text: str) -> list[str]:
    """The lines that say something, less dates and the width of columns."""
    text = re.sub(r"\b[A-Z][a-z]{2} +\d+ +(\d\d:\d\d|\d{4})\b", "DATE", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def transcript(readme: str) -> str:
    """The block of README.md that begins with the first command line."""
    blocks = re.findall(r"(?:^ {4}.*\n|^\n)+", readme, re.MULTILINE)
    return next(block for block in blocks if block.lstrip().startswith("$ export"))


def missing(wanted: list[str], printed: list[str]) -> list[str]:
    """The wanted lines that do not come in this order."""
    rest = iter(printed)
    return [line for line in wanted if line not in rest]


class Quickstart(unittest.TestCase):
    def test_it_prints_what_the_readme_shows_and_leaves_the_root(self) -> None:
        wanted = transcript((SOURCE / "README.md").read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory(prefix="keyhold quickstart ") as directory:
            root = Path(directory, "root")
            for _ in range(2):  # it may be run again
                done = subprocess.run([SOURCE / "scripts/quickstart", root], capture_output=True,
                                      text=True, stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            left = {path.suffix for path in (root / "etc/secrets").iterdir()}
        self.assertEqual(left, {".xml", ".base64"})
        printed = done.stdout.replace("%20", " ").replace("\\ ", " ")
        here = wanted.replace(f"{OF_README}/build-quickstart/root", str(root))
        here = here.replace(OF_README, str(SOURCE))
        self.assertGreater(len(lines_of(here)), 20)
        self.assertEqual(missing(lines_of(here), lines_of(printed)), [], done.stdout)

    def test_a_line_that_is_not_printed_is_found(self) -> None:
        self.assertEqual(missing(["a", "c"], ["a", "b", "c"]), [])
        self.assertEqual(missing(["a", "x"], ["a", "b", "c"]), ["x"])
        self.assertEqual(missing(["c", "a"], ["a", "b", "c"]), ["a"])

    def test_words_that_it_does_not_know_are_refused(self) -> None:
        done = subprocess.run([SOURCE / "scripts/quickstart", "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    SOURCE = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    unittest.main(argv=sys.argv[:1])
