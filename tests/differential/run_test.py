#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the differential suite must not let pass."""

from __future__ import annotations

import re
import sys
import tempfile
import unittest
from pathlib import Path

import coverage
import differences

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import releases  # noqa: E402

ENTRY = """
## Something

```toml
id = "something"

[[observed]]
at = "a.b:step *"
releases = "9.0"
stock = "0"
ours = "error 66 .*"
```
"""
RELEASE = (9, 0, 0)
DIFFERENCES = releases.DOCUMENT.with_name("differences.md")


def written(text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", delete=False, encoding="utf-8") as file:
        file.write(text)
    return Path(file.name)


class TableOfDifferences(unittest.TestCase):
    def entries(self, text: str = ENTRY) -> list[differences.Entry]:
        path = written(text)
        self.addCleanup(path.unlink)
        return differences.read_entries(path)

    def found(self, stock: str, ours: str, key: str = "step 1") -> differences.Difference:
        return differences.Difference("a.b", key, stock, ours)

    def test_a_listed_difference_is_covered_and_seen(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        self.assertEqual(expectations.unlisted([self.found("0", "error 66 gone")]), [])
        self.assertEqual(expectations.gone({"a.b"}), [])

    def test_a_difference_elsewhere_is_unlisted(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        other = self.found("0", "error 66 gone", "another")
        self.assertEqual(expectations.unlisted([other]), [other])

    def test_another_result_of_ours_is_unlisted(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        other = self.found("0", "1")
        self.assertEqual(expectations.unlisted([other]), [other])

    def test_another_result_of_stock_is_unlisted(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        other = self.found("-1", "error 66 gone")
        self.assertEqual(expectations.unlisted([other]), [other])

    def test_a_listed_difference_that_is_gone_is_told(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        self.assertEqual(len(expectations.gone({"a.b"})), 1)

    def test_what_was_not_run_is_not_missed(self) -> None:
        expectations = differences.Expectations(self.entries(), RELEASE)
        self.assertEqual(expectations.gone({"c.d"}), [])

    def test_an_entry_of_another_release_covers_nothing(self) -> None:
        expectations = differences.Expectations(self.entries(), (11, 3, 0))
        difference = self.found("0", "error 66 gone")
        self.assertEqual(expectations.unlisted([difference]), [difference])
        self.assertEqual(expectations.gone({"a.b"}), [])

    def test_each_place_of_a_list_is_missed_on_its_own(self) -> None:
        text = ENTRY.replace('"a.b:step *"', '["a.b:step *", "a.b:other"]')
        expectations = differences.Expectations(self.entries(text), RELEASE)
        expectations.unlisted([self.found("0", "error 66 gone")])
        self.assertEqual(
            expectations.gone({"a.b"}), ["something: nothing differs as listed at a.b:other"]
        )

    def test_what_is_left_to_chance_is_not_missed(self) -> None:
        text = ENTRY.replace("[[observed]]\n", "[[observed]]\nsometimes = true\n")
        self.assertEqual(differences.Expectations(self.entries(text), RELEASE).gone({"a.b"}), [])

    def test_stock_with_itself_allows_only_what_is_left_to_chance(self) -> None:
        always = differences.Expectations(self.entries(), RELEASE, stock_only=True)
        difference = self.found("0", "error 66 gone")
        self.assertEqual(always.unlisted([difference]), [difference])

    def test_a_test_that_is_not_there_is_told(self) -> None:
        text = '```toml\nid = "x"\nelsewhere = "tests/no_such_test.py"\n```\n'
        self.assertEqual(len(differences.missing_tests(self.entries(text), Path("/"))), 1)

    def test_bad_entries_are_refused(self) -> None:
        for text in (
            ENTRY + ENTRY,
            ENTRY.replace('id = "something"\n', ""),
            ENTRY.replace('stock = "0"\n', ""),
            ENTRY.replace("error 66 .*", "("),
            ENTRY.replace("a.b:step *", "no place"),
            ENTRY.replace('"9.0"', '"9.0 or so"'),
            ENTRY.replace("[[observed]]", "[[obsered]]"),
            '```toml\nid = "nothing"\n```\n',
        ):
            with self.subTest(text), self.assertRaises(differences.BadEntry):
                self.entries(text)


class Transcripts(unittest.TestCase):
    def test_a_missing_observation_is_a_difference_on_either_side(self) -> None:
        stock = differences.parse_transcript("a: 1\nb: 2\n")
        ours = differences.parse_transcript("a: 1\nc: 3\n")
        found = differences.compare("s", stock, ours)
        self.assertEqual(
            [(d.key, d.stock, d.ours) for d in found], [("b", "2", "absent"), ("c", "absent", "3")]
        )

    def test_text_that_is_no_observation_is_kept(self) -> None:
        self.assertEqual(len(differences.parse_transcript("a: 1\nnoise\na: 2\n")), 3)

    def test_a_text_may_hold_the_separator(self) -> None:
        self.assertEqual(differences.parse_transcript("a: b: c\n"), {"a": "b: c"})


class Releases(unittest.TestCase):
    def test_conditions(self) -> None:
        for condition, release, expected in (
            ("all", (9, 0, 0), True),
            ("9.0", (9, 0, 0), True),
            ("9.0", (9, 1, 0), False),
            ("9.0, 12.8", (12, 8, 0), True),
            ("<11", (10, 9, 0), True),
            (">=11.3 <12", (11, 3, 0), True),
            (">=11.3 <12", (12, 8, 0), False),
            ("9.0, >=12.8", (9, 0, 0), True),
            ("9.0, >=12.8", (11, 3, 0), False),
            ("9.0, >=12.8", (13, 0, 0), True),
        ):
            with self.subTest(condition, release=release):
                self.assertEqual(differences.release_matches(condition, release), expected)

    def test_no_condition_ends_with_the_newest_release(self) -> None:
        """Which says nothing of the next one: ">=12.8" for "12.8"."""
        newest = max(map(differences.parse_release, releases.listed()))
        for entry in differences.read_entries(DIFFERENCES):
            for rule in entry.rules:
                for plain in re.findall(r"(?<![\d.=<])\d+(?:\.\d+)*", rule.releases):
                    number = differences.parse_release(plain)
                    self.assertNotEqual(number, newest[: len(number)], (entry.id, rule.releases))


class TableOfBehaviour(unittest.TestCase):
    def problems(self, *rows: str, scenarios: set[str] | None = None) -> list[str]:
        path = written("\n".join(rows) + "\n")
        self.addCleanup(path.unlink)
        return coverage.check(path, {"a.b"} if scenarios is None else scenarios, None)

    def test_a_covered_row_is_accepted(self) -> None:
        self.assertEqual(self.problems("a topic\tit works\ta.b"), [])

    def test_a_reason_or_a_system_test_will_do(self) -> None:
        rows = ("a topic\tspeed\tnot provoked: a benchmark", "a topic\tSIGHUP\tsystem:test_it")
        self.assertEqual(self.problems(*rows, scenarios=set()), [])

    def test_a_row_without_anything_fails(self) -> None:
        self.assertTrue(self.problems("a topic\tit works\t", "a topic\tit works too\ta.b"))

    def test_a_reason_must_be_given(self) -> None:
        self.assertTrue(self.problems("a topic\tit works\tnot provoked:", "a topic\tx\ta.b"))

    def test_a_name_that_does_not_exist_fails(self) -> None:
        self.assertTrue(self.problems("a topic\tit works\ta.b c.d"))

    def test_a_scenario_that_no_row_needs_fails(self) -> None:
        self.assertTrue(self.problems("a topic\tit works\ta.b", scenarios={"a.b", "c.d"}))

    def test_a_row_that_is_there_twice_fails(self) -> None:
        self.assertEqual(self.problems("a topic\tx\ta.b", "a topic\ty\ta.b"), [])
        self.assertTrue(self.problems("a topic\tx\ta.b", "a topic\tx\ta.b"))

    def test_a_topic_in_two_places_fails(self) -> None:
        self.assertTrue(self.problems("a topic\tx\ta.b", "another\tx\ta.b", "a topic\ty\ta.b"))

    def test_a_row_without_topic_or_behaviour_fails(self) -> None:
        for row in ("\tx\ta.b", "a topic\t\ta.b", "a topic\tx"):
            self.assertTrue(self.problems("a topic\tgood\ta.b", row))

    def test_a_file_that_a_reason_names_must_be_there(self) -> None:
        row = "speed\tof a load\tnot provoked: tests/{} looks at it"
        self.assertEqual(self.problems(row.format("differential/run.py"), scenarios=set()), [])
        self.assertTrue(self.problems(row.format("nowhere.py"), scenarios=set()))


if __name__ == "__main__":
    unittest.main()
