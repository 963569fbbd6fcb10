# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table that maps each observed behaviour of the stock driver to what shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    id: str
    statement: str
    shown_by: list[str]
    """Scenarios, "system:TEST", or one "not provoked: REASON"."""


def read_rows(path: Path) -> tuple[list[Row], list[str]]:
    """The rows, and what is wrong with the table's form."""
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not re.fullmatch(r"[0-9.]+-\d\d", fields[0]) or not fields[1]:
            problems.append(f"line {number} is not ROW, STATEMENT, SHOWN BY")
            continue
        by = fields[2].strip()
        shown_by = [by] if by.startswith("not provoked:") else by.split()
        rows.append(Row(fields[0], fields[1], shown_by))
    return rows, problems


def _numbering_problems(rows: list[Row]) -> list[str]:
    problems = []
    expected: dict[str, int] = {}
    for row in rows:
        section, _, number = row.id.rpartition("-")
        expected[section] = expected.get(section, 0) + 1
        if int(number) != expected[section]:
            problems.append(f"row {row.id} stands where {section}-{expected[section]:02} is due")
            expected[section] = int(number)
    return problems


def _system_test_exists(name: str, directory: Path) -> bool:
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return any(pattern.search(path.read_text(encoding="utf-8")) for path in directory.glob("*.py"))


def check(path: Path, scenarios: set[str], system_tests: Path | None) -> list[str]:
    """What is wrong with the table: rows that nothing shows, names that do not exist, scenarios that
    no row needs. Names of system tests are looked up if their directory is given."""
    rows, problems = read_rows(path)
    problems += _numbering_problems(rows)
    used: set[str] = set()
    for row in rows:
        if not row.shown_by:
            problems.append(f"row {row.id} is shown by nothing")
        for name in row.shown_by:
            if name.startswith("not provoked:"):
                if not name.partition(":")[2].strip():
                    problems.append(f"row {row.id} gives no reason")
            elif name.startswith("system:"):
                test = name.partition(":")[2]
                if system_tests and not _system_test_exists(test, system_tests):
                    problems.append(f"row {row.id} names a system test that is not there: {test}")
            elif name not in scenarios:
                problems.append(f"row {row.id} names a scenario that is not there: {name}")
            else:
                used.add(name)
    problems += [f"no row needs the scenario {name}" for name in sorted(scenarios - used)]
    return problems
