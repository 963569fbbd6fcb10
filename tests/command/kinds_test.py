#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kinds of findings: the schema and the man page have those of the source, and for each that check has a
system test makes it come.

Run as: kinds_test.py ROOT"""

import ast
import json
import re
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(sys.argv[1])
# of seal, rekey, unseal and encrypt alone
OF_CONVERSIONS = {"unchanged"}
ASSERTIONS = {"assertFound", "assertComes", "assertComesAndGoes", "fill"}


def kinds_of_source() -> set[str]:
    source = (ROOT / "src/command/finding.cpp").read_text(encoding="ascii")
    function = source[source.index("const char *findingKindName("):]
    return set(re.findall(r'return "([a-z-]+)";', function[:function.index("\n}\n")]))


def kinds_of_schema() -> set[str]:
    schema = json.loads((ROOT / "docs/command-reports.schema.json").read_text(encoding="ascii"))
    return set(schema["$defs"]["kind"]["enum"])


def words_of_assertions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASSERTIONS:
            yield from (argument.value for argument in node.args
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str))


class Kinds(unittest.TestCase):
    def test_the_schema_has_those_of_the_source(self) -> None:
        self.assertGreater(kinds_of_source(), OF_CONVERSIONS)
        self.assertEqual(kinds_of_schema(), kinds_of_source() - OF_CONVERSIONS)

    def test_the_man_page_has_them(self) -> None:
        page = (ROOT / "docs/keyhold.1").read_text(encoding="ascii").replace("\\-", "-")
        section = page.partition("\n.SH FINDINGS\n")[2].partition("\n.SH ")[0]
        named = set(re.findall(r"(?m)^\.BR? ([a-z-]+)", section))
        self.assertEqual(kinds_of_source() - named, set())

    def test_each_that_check_has_is_made_to_come(self) -> None:
        shown = {word for path in (ROOT / "tests/system").glob("test_command_check*.py")
                 for word in words_of_assertions(path)}
        self.assertEqual(kinds_of_schema() - shown, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
