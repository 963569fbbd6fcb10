#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One term for one thing, the one of the field: words that have been replaced are not used again, neither in
names nor in prose. Names of files on disk, settings, members of JSON and what libvirt's clients compare keep
the words they have."""

from __future__ import annotations

import re
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("src", "tests", "bench", "scripts", "docs", "systemd", "README.md", "CONTRIBUTING.md")
NO_TEXT = ("__pycache__", "tests/seal/golden/")
THIS = "tests/sources/words_test.py"  # has them all


class Rule(NamedTuple):
    word: str  # of the field
    former: str  # a regular expression
    found: tuple[str, ...]  # examples of what it finds
    passed: tuple[str, ...] = ()


RULES = (
    Rule("re-encryption, re-encrypted", r"(?i)renew|\banew\b", ("stopRenewal", "renewed", "written anew")),
    Rule("needs re-encryption", r"(?i)outdated", ("isOutdated", "an outdated value")),
    Rule("quarantined", r"(?<![a-z.])aside|Aside", ("put aside", "kAside", "const auto aside"), ("x.aside-1", "beside")),
    Rule("stale file, residue", r"(?i)left-?over", ("LeftoverTest", "left-overs"), ("what is left over",)),
    Rule("degraded", r"(?i)impaired", ("isImpaired", "an impaired backend")),
    Rule("current policy", r"(?i)rules of now", ("by the rules of now",)),
    Rule("SealingPolicy, ValueFormat", r"AtRest|atRest", ("CurrentAtRest", "atRestWith"), ("at-rest-format.md",)),
    Rule("AdminLog", r"Journal", ("Journal &", "RecordingJournal"), ("the file system's journal",)),
    Rule("untrusted file", r"(?i)careful.?read", ("careful_read.h", "careful reading"), ("read carefully",)),
    Rule("pending sync", r"(?i)owedSync|\bowed\b", ("OwedSync", "still owed"), ("allowed", "followed")),
    Rule("RollbackFailedError, rollBack", r"(?i)unrestored|takeBack(?!end)", ("UnrestoredError", "takeBack()"),
         ("takeBackend", "is taken back")),
    Rule("reconcile, mark synced, finish a pending value", r"(?i)\bsettl(e|ing)|settled", ("settle()", "settled_")),
    Rule("unavailable", r"(?i)\bto be had\b", ("is not to be had",)),
    Rule("nobody", r"(?i)by nobody", ("read by nobody",)),
    Rule("says, reports, shows", r"(?i)\btells\b", ("which tells why", "tells("), ("tell", "told")),
    Rule("takes, affects, gives", r"(?i)\bcosts\b", ("costs an error",)),
    Rule("since, until then, at the same time", r"(?i)meanwhile", ("gone meanwhile", "AClientSetsMeanwhile")),
    Rule("failure, problem", r"(?i)trouble", ("CurrentTrouble", "in trouble")),
)


class Exception_(NamedTuple):
    place: str  # a regular expression for paths
    line: str  # one for the line
    why: str


EXCEPTIONS = (
    Exception_(r"src/command/(finding|inspection|check_findings)\.(h|cpp)|src/directory/.*|tests/command/.*\.cpp",
               r"\bleftover,|\baside,|Kind::(leftover|aside)\b|\"(leftover|aside)\"",
               "kinds of findings: members of JSON are named by them"),
    Exception_(r"tests/system/test_(command_(alone|check)|backup)\.py|docs/keyhold\.1|docs/command-reports\.schema\.json",
               r"\"(leftover|aside)\"|\.BR? (leftover|aside)\b",
               "kinds of findings, as the command prints them"),
    Exception_(r"src/command/status\.cpp|tests/system/test_command_alone\.py|docs/command-reports\.schema\.json",
               r"\"outdated\"", "a member of JSON"),
    Exception_(r"bench/.*|scripts/bench|docs/performance\.md", r"\bcosts\b", "what is measured"),
)


def texts(root: Path) -> Iterator[tuple[str, str]]:
    for place in PLACES:
        for path in sorted((root / place).rglob("*")) if (root / place).is_dir() else [root / place]:
            name = str(path.relative_to(root))
            if path.is_file() and name != THIS and not any(part in name for part in NO_TEXT):
                yield name, path.read_text(encoding="utf-8")


def uses(root: Path) -> Iterator[tuple[str, str, Rule]]:
    """Where a former word is, in names of files too: path with line, text and rule."""
    for name, text in texts(root):
        for number, line in enumerate([name, *text.splitlines()]):
            for rule in RULES:
                if re.search(rule.former, line):
                    yield f"{name}:{number}", line.strip(), rule


def exceptions(where: str, line: str) -> list[Exception_]:
    path = where.rpartition(":")[0]
    return [each for each in EXCEPTIONS if re.fullmatch(each.place, path) and re.search(each.line, line)]


def complaints(root: Path) -> list[str]:
    return [f"{where}: {rule.word}: {line}" for where, line, rule in uses(root) if not exceptions(where, line)]


class OfThisTree(unittest.TestCase):
    def test_terms_are_those_of_the_field(self) -> None:
        self.assertGreater(len(list(texts(ROOT))), 400)
        found = complaints(ROOT)
        self.assertEqual(len(found), 0, "\n" + "\n".join(found))

    def test_every_exception_is_needed(self) -> None:
        needed = {each.why for where, line, _ in uses(ROOT) for each in exceptions(where, line)}
        self.assertEqual(needed, {each.why for each in EXCEPTIONS})


class EveryRuleCanBeBroken(unittest.TestCase):
    def complaints(self, path: str, text: str) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="keyhold-words-") as directory:
            root = Path(directory)
            for place in PLACES:
                if place.endswith(".md"):
                    (root / place).write_text("", encoding="utf-8")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            return complaints(root)

    def test_what_each_is_to_find_is_found(self) -> None:
        for rule in RULES:
            for text in rule.found:
                with self.subTest(text):
                    self.assertEqual(self.complaints("src/low/a.h", f"\n// {text}\n"),
                                     [f"src/low/a.h:2: {rule.word}: // {text}"])

    def test_what_only_looks_like_it_passes(self) -> None:
        for text in (text for rule in RULES for text in rule.passed):
            with self.subTest(text):
                self.assertEqual(self.complaints("docs/a.md", text), [])

    def test_every_place_and_the_names_of_files_are_looked_at(self) -> None:
        for place in PLACES:
            path = place if place.endswith(".md") else f"{place}/deep/a"
            self.assertEqual(len(self.complaints(path, "trouble")), 1, path)
        self.assertEqual(len(self.complaints("tests/store/reload_trouble_test.cpp", "")), 1)

    def test_an_exception_is_for_its_place_and_its_line(self) -> None:
        self.assertEqual(self.complaints("src/command/status.cpp", '{"outdated", n},'), [])
        self.assertEqual(len(self.complaints("src/command/verify.cpp", '{"outdated", n},')), 1)
        self.assertEqual(len(self.complaints("src/command/status.cpp", "bool outdated;")), 1)


if __name__ == "__main__":
    ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    unittest.main(argv=sys.argv[:1])
