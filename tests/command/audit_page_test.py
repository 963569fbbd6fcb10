#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/audit.md has every member of a record, and every word that one can have. As: audit_page_test.py ROOT"""

import json
import re
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(sys.argv[1]) / "docs"
SCHEMA = json.loads((DOCS / "audit.schema.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "audit.md").read_text(encoding="utf-8")
OF_THE_TABLE = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))


def members(schema: dict[str, Any], *path: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Those that have no members themselves."""
    if "properties" not in schema:
        yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from members(member, *path, name)


class Page(unittest.TestCase):
    def test_every_member_of_a_record_is_in_the_table(self) -> None:
        named = set(re.findall(r"`([^`]+)`", OF_THE_TABLE))
        missing = [".".join(path) for path, _ in members(SCHEMA)
                   if not {".".join(path), ".".join(path[:-1])} & named]
        self.assertEqual(missing, [])

    def test_every_action_outcome_and_reason_is_on_the_page(self) -> None:
        words = {path[-1]: member["enum"] for path, member in members(SCHEMA) if "enum" in member}
        for name in ("action", "outcome", "reason"):
            with self.subTest(name):
                self.assertEqual([word for word in words[name] if f"`{word}`" not in OF_THE_TABLE], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
