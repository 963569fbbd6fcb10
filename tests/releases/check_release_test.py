#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scripts/check-release on the libvirt of this system, and shown to find what it is there to find."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import releases  # noqa: E402

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts/check-release"
OURS = ""


PAGE = "# Releases\n\n## What was tested\n\n| libvirt | system |\n|---|---|\n{}\n## Since\n\n| 1.0.0 | not here |\n"


def run(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


@cache
def release_here() -> str:
    _, lines = run()
    return lines[0].split()[1].rstrip(":")


def check(*arguments: str, listed: tuple[str, ...] | None = None) -> tuple[int, list[str]]:
    """With a page that lists these releases; by default the one of this system, whichever that is."""
    names = (release_here(),) if listed is None else listed
    with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as page:
        page.write(PAGE.format("".join(f"| {name} | a system |\n" for name in names)))
        page.flush()
        return run("--document", page.name, *arguments)


def failures(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.startswith("  FAIL")]


class CheckRelease(unittest.TestCase):
    def test_the_libvirt_of_this_system_is_as_expected(self) -> None:
        code, lines = check()
        self.assertEqual(failures(lines), [])
        self.assertEqual((code, lines[-1]), (0, "8 passed, 0 failed"))

    def test_a_release_that_is_not_listed_fails_and_the_rest_is_told(self) -> None:
        code, lines = check(listed=("1.0.0", "99.9.9"))
        self.assertEqual((code, lines[-1]), (1, "7 passed, 1 failed"))
        [failure] = failures(lines)
        self.assertIn(f"libvirt {release_here()} is not listed in docs/releases.md", failure)
        self.assertIn("How to check a new release", failure)

    def test_only_the_table_of_what_was_tested_lists_releases(self) -> None:
        code, _ = check(listed=())
        self.assertEqual(code, 1)
        self.assertNotIn("11.2.0", releases.listed())  # of the table of what differs

    def test_the_ends_of_the_table_are_those_the_module_knows(self) -> None:
        text = (SCRIPT.parent.parent / "src/abi/release.h").read_text(encoding="utf-8")
        known = [int(re.search(rf"{name} = ([\d']+);", text)[1].replace("'", ""))  # type: ignore[index]
                 for name in ("kOldestRelease", "kNewestTestedRelease")]
        numbers = [sum(int(part) * factor for part, factor in zip(name.split("."), (1_000_000, 1_000, 1)))
                   for name in releases.listed()]
        self.assertEqual(known, [min(numbers), max(numbers)])

    def test_sentences_that_name_the_releases_name_the_newest(self) -> None:
        newest = max(releases.listed(), key=lambda name: [int(part) for part in name.split(".")])
        for page, sentence in (("README.md", "From 9.0.0 to "), ("docs/differences.md", "with both drivers on "),
                               ("docs/connections.md", "Beside virsh of "),
                               ("docs/releases.md", "virURI and virSecretDef are the same in ")):
            [text] = re.findall(re.escape(sentence) + r"[^:]*",
                                (SCRIPT.parent.parent / page).read_text(encoding="utf-8"))
            self.assertIn(newest, text, page)

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
