# SPDX-License-Identifier: LGPL-2.1-or-later
"""The entries of docs/differences.md, and the matching of observed differences with them."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

ABSENT = "absent"
"""Stands for the text of an observation that one side did not make."""

Release = tuple[int, ...]


class BadEntry(Exception):
    """An entry that cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Difference:
    """One observation on which the two modules do not agree."""

    scenario: str
    key: str
    stock: str
    ours: str

    @property
    def place(self) -> str:
        return f"{self.scenario}:{self.key}"


def compare(scenario: str, stock: dict[str, str], ours: dict[str, str]) -> list[Difference]:
    """The differences of two transcripts, in the order of the stock one."""
    keys = list(stock) + [key for key in ours if key not in stock]
    pairs = ((key, stock.get(key, ABSENT), ours.get(key, ABSENT)) for key in keys)
    return [Difference(scenario, key, a, b) for key, a, b in pairs if a != b]


def parse_transcript(text: str) -> dict[str, str]:
    """Lines of "key: text"; a key occurs once."""
    observations: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition(": ")
        if not separator or key in observations:
            key, value = f"line that is no observation ({len(observations)})", line
        observations[key] = value
    return observations


def parse_release(text: str) -> Release:
    return tuple(int(part) for part in text.split("."))


def release_matches(condition: str, release: Release) -> bool:
    """Whether a release is meant by "all", or by one of the parts of "9.0, >=11.3 <12, >=12.8"."""
    if condition == "all":
        return True

    def meets(bound: str) -> bool:
        match = re.fullmatch(r"(<|>=)?(\d+(?:\.\d+)*)", bound)
        if not match:
            raise BadEntry(f"unknown release condition {bound!r}")
        wanted = parse_release(match[2])
        if match[1] == "<":
            return release < wanted
        return release >= wanted if match[1] else release[: len(wanted)] == wanted

    # Lists: what is no condition is found wherever it stands.
    return any([all([meets(bound) for bound in part.split() or [part]]) for part in condition.split(",")])


@dataclass
class Rule:
    """Where a difference is seen, and what each side says there."""

    entry: str
    at: list[str]
    releases: str
    stock: re.Pattern[str]
    ours: re.Pattern[str]
    sometimes: bool = False
    seen: set[str] = field(default_factory=set)

    def covers(self, difference: Difference) -> bool:
        places = [place for place in self.at if fnmatch.fnmatchcase(difference.place, place)]
        if not places or not self.stock.fullmatch(difference.stock):
            return False
        if not self.ours.fullmatch(difference.ours):
            return False
        self.seen.update(places)
        return True

    def unseen(self, scenarios: set[str]) -> list[str]:
        """The places where nothing differs any more, of those whose scenario was run."""
        if self.sometimes:
            return []
        return [
            place
            for place in self.at
            if place not in self.seen
            and any(fnmatch.fnmatchcase(name, place.partition(":")[0]) for name in scenarios)
        ]


@dataclass
class Entry:
    """One deliberate difference."""

    id: str
    rules: list[Rule]
    elsewhere: str | None


def _rule(entry: str, table: dict[str, object]) -> Rule:
    known = {"at", "releases", "stock", "ours", "sometimes"}
    if set(table) - known or not {"at", "stock", "ours"} <= set(table):
        raise BadEntry(f"{entry}: an [[observed]] table needs at, stock and ours: {table}")
    at = table["at"]
    places = [at] if isinstance(at, str) else at
    if not isinstance(places, list) or not places:
        raise BadEntry(f"{entry}: at is a text or a list of texts")
    if any(":" not in str(place) for place in places):
        raise BadEntry(f"{entry}: a place is SCENARIO:KEY: {places}")
    try:
        stock, ours = re.compile(str(table["stock"])), re.compile(str(table["ours"]))
    except re.error as error:
        raise BadEntry(f"{entry}: {error}") from error
    releases = str(table.get("releases", "all"))
    release_matches(releases, (0,))
    return Rule(
        entry, [str(place) for place in places], releases, stock, ours, bool(table.get("sometimes"))
    )


def read_entries(path: Path) -> list[Entry]:
    """The TOML blocks of the document, one an entry."""
    entries: list[Entry] = []
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        try:
            table = tomllib.loads(block)
        except tomllib.TOMLDecodeError as error:
            raise BadEntry(f"{error} in\n{block}") from error
        name = table.get("id")
        if not isinstance(name, str) or set(table) - {"id", "observed", "elsewhere"}:
            raise BadEntry(f"an entry has id, [[observed]] and elsewhere:\n{block}")
        if any(entry.id == name for entry in entries):
            raise BadEntry(f"two entries are called {name}")
        rules = [_rule(name, observed) for observed in table.get("observed", [])]
        elsewhere = table.get("elsewhere")
        if not rules and not elsewhere:
            raise BadEntry(f"{name}: neither observed here nor shown elsewhere")
        entries.append(Entry(name, rules, elsewhere))
    return entries


def missing_tests(entries: list[Entry], root: Path) -> list[str]:
    """The tests that entries name and that are not there."""
    return [
        f"{entry.id} names {path}, which is not there"
        for entry in entries
        for path in re.findall(r"\btests/[\w./-]+", entry.elsewhere or "")
        if not (root / path).exists()
    ]


class Expectations:
    """The rules that hold for one release. With `stock_only`, the stock module is compared with
    itself, and only what it leaves to chance may differ."""

    def __init__(self, entries: list[Entry], release: Release, stock_only: bool = False) -> None:
        rules = [
            rule
            for entry in entries
            for rule in entry.rules
            if release_matches(rule.releases, release)
        ]
        if stock_only:
            rules = [replace(rule, ours=rule.stock) for rule in rules if rule.sometimes]
        self.rules = rules

    def unlisted(self, differences: list[Difference]) -> list[Difference]:
        """Those that no rule covers. Every rule that covers one is marked as seen."""
        out = []
        for difference in differences:
            covering = [rule for rule in self.rules if rule.covers(difference)]
            if not covering:
                out.append(difference)
        return out

    def gone(self, scenarios: set[str]) -> list[str]:
        """What the document lists and nobody saw, of the scenarios that were run."""
        return [
            f"{rule.entry}: nothing differs as listed at {place}"
            for rule in self.rules
            for place in rule.unseen(scenarios)
        ]
