# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table that maps each behaviour of the stock driver to what shows it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Row:
    topic: str
    behaviour: str
    shown_by: list[str]
    """Scenarios, "system:TEST", or one "not provoked: REASON"."""

    @property
    def name(self) -> str:
        return f"'{self.topic}: {self.behaviour}'"


def read_rows(path: Path) -> tuple[list[Row], list[str]]:
    """The rows, and what is wrong with the table's form."""
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not fields[0].strip() or not fields[1].strip():
            problems.append(f"line {number} is not TOPIC, BEHAVIOUR, SHOWN BY")
            continue
        by = fields[2].strip()
        shown_by = [by] if by.startswith("not provoked:") else by.split()
        rows.append(Row(fields[0], fields[1], shown_by))
    return rows, problems


def _naming_problems(rows: list[Row]) -> list[str]:
    problems = [f"two rows are {name}"
                for name, count in Counter(row.name for row in rows).items() if count > 1]
    runs = Counter(topic for topic, _ in groupby(rows, key=lambda row: row.topic))
    problems += [f"the rows of '{topic}' do not stand together" for topic, count in runs.items() if count > 1]
    return problems


def _reason_problems(row: Row, reason: str) -> list[str]:
    if not reason.strip():
        return [f"row {row.name} gives no reason"]
    return [f"row {row.name} names {path}, which is not there"
            for path in re.findall(r"\btests/[\w./-]+", reason) if not (ROOT / path).exists()]


def _system_test_exists(name: str, directory: Path) -> bool:
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return any(pattern.search(path.read_text(encoding="utf-8")) for path in directory.glob("*.py"))


def check(path: Path, scenarios: set[str], system_tests: Path | None) -> list[str]:
    """What is wrong with the table: rows that nothing shows, names that do not exist, scenarios that
    no row needs. Names of system tests are looked up if their directory is given."""
    rows, problems = read_rows(path)
    problems += _naming_problems(rows)
    used: set[str] = set()
    for row in rows:
        if not row.shown_by:
            problems.append(f"row {row.name} is shown by nothing")
        for name in row.shown_by:
            if name.startswith("not provoked:"):
                problems += _reason_problems(row, name.partition(":")[2])
            elif name.startswith("system:"):
                test = name.partition(":")[2]
                if system_tests and not _system_test_exists(test, system_tests):
                    problems.append(f"row {row.name} names a system test that is not there: {test}")
            elif name not in scenarios:
                problems.append(f"row {row.name} names a scenario that is not there: {name}")
            else:
                used.add(name)
    problems += [f"no row needs the scenario {name}" for name in sorted(scenarios - used)]
    return problems
