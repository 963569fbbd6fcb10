#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs scripts/quickstart and holds the transcript in README.md against what it printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
OF_README = "/home/alice/keyhold"


def quickstart(source: Path, *words: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run([source / "scripts/quickstart", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=os.environ | environment)
    return done.returncode, done.stdout


def copy_of_source(place: Path) -> Path:
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=SOURCE, check=True,
                            stdout=subprocess.PIPE, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, place / name)
    return place


def transcript(readme: str) -> list[str]:
    """The lines of the indented blocks in the section of README.md that has them."""
    section = re.search(r"^## What it looks like\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    assert section
    lines = [line[4:].rstrip() for line in section[1].splitlines() if line.startswith("    ")]
    return [line for line in lines if line and line != "..."]


def matches(wanted: str, printed: str) -> bool:
    """Whether a line of README.md, in which `...` stands for any text, is this one."""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), printed.rstrip()) is not None


def missing(wanted: list[str], printed: list[str]) -> list[str]:
    """The wanted lines that do not come in this order."""
    rest = iter(printed)
    return [line for line in wanted if not any(matches(line, other) for other in rest)]


class Quickstart(unittest.TestCase):
    def test_it_prints_what_the_readme_shows(self) -> None:
        wanted = transcript((SOURCE / "README.md").read_text(encoding="utf-8"))
        self.assertGreater(len(wanted), 20)
        for _ in range(2):  # it may be run again
            code, output = quickstart(SOURCE)
            self.assertEqual(code, 0, output)
            here = [line.replace(OF_README, str(SOURCE)) for line in wanted]
            self.assertEqual(missing(here, output.splitlines()), [], output)
            self.assertRegex(output, r"in use by +virsh \(process \d+\), with Keyhold")
            self.assertNotRegex(output, r"(?m)^\[\d+/\d+\]|^ninja|^The Meson build system", "lines of the build")

    def test_the_root_stays_for_the_reader_to_go_on_with(self) -> None:
        code, output = quickstart(SOURCE)
        self.assertEqual(code, 0, output)
        exports = "\n".join(line for line in output.splitlines() if re.match(r"  (export|PATH=|cd) ?", line))
        done = subprocess.run(["sh", "-ec", f"{exports}\nkeyhold get --root root --reveal 'ceph:client.demo secret'"],
                              stdout=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "for demonstration only"))

    def test_a_build_that_fails_shows_the_end_of_its_log_and_where_it_is(self) -> None:
        with tempfile.TemporaryDirectory(prefix="keyhold quickstart ") as directory:
            source = copy_of_source(Path(directory))
            code, output = quickstart(source, CXX="no-such-compiler")
            self.assertNotEqual(code, 0)
            self.assertIn("Unknown compiler", output)
            log = source / "build-quickstart.log"
            self.assertIn(f"all it printed is in {log}", output)
            self.assertIn("Unknown compiler", log.read_text(encoding="utf-8"))

    def test_words_that_it_does_not_know_are_refused(self) -> None:
        code, output = quickstart(SOURCE, "--help")
        self.assertEqual(code, 2)
        self.assertIn("usage:", output)


class Comparison(unittest.TestCase):
    """The test of the test."""

    def test_a_line_that_is_not_printed_is_found(self) -> None:
        self.assertEqual(missing(["a", "c"], ["a", "b", "c"]), [])
        self.assertEqual(missing(["a", "x"], ["a", "b", "c"]), ["x"])
        self.assertEqual(missing(["c", "a"], ["a", "b", "c"]), ["a"])

    def test_dots_stand_for_any_text_and_nothing_else_does(self) -> None:
        self.assertTrue(matches("key '...' is lost", "key 'K' is lost"))
        self.assertFalse(matches("key '...' is lost", "key 'K' is there"))
        self.assertFalse(matches("key is lost", "the key is lost"))
        self.assertFalse(matches("a.c", "abc"))


if __name__ == "__main__":
    SOURCE = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else SOURCE
    unittest.main(argv=sys.argv[:1])
