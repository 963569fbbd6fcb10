# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operator's command."""

import json
import os
import subprocess
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from .machine import Machine, Result, User
from .settings import settings
from .waiting import wait_for


SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "command-reports.schema.json").read_text())


def require_valid(command: str, report: str) -> None:
    """What a command with --json printed is as the schema says, or an error."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    allowed = [{"$ref": f"#/$defs/{name}"} for name in (command, "error")]
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": allowed}).validate(json.loads(report))


class Keyhold:
    """keyhold on a machine, as root or as a user."""

    def __init__(self, machine: Machine, user: User | None = None) -> None:
        if not settings().command:
            raise AssertionError("no keyhold command: give --build-dir or --command")
        self.machine, self.user = machine, user

    def run(self, *arguments: str, env: Mapping[str, str] = {}) -> Result:
        result = self.machine.run(settings().command, *arguments, user=self.user, env=env)
        if arguments[0] in SCHEMA["$defs"] and "--json" in arguments:
            require_valid(arguments[0], result.out)
        return result

    def start_stopped(self, *arguments: str, at_sync: int) -> "subprocess.Popen[bytes]":
        """Starts it; SIGSTOP comes with the fsync of this number, and wait_stopped() waits for that."""
        return self.machine.popen(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync",
            "-e", f"inject=fsync:signal=STOP:when={at_sync}", settings().command, *arguments,
            user=self.user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def json(self, *arguments: str, code: int = 0, env: Mapping[str, str] = {}) -> Any:
        result = self.run(*arguments, "--json", env=env)
        if result.code != code:
            raise AssertionError(f"{arguments}: exit {result.code}: {result.err}{result.out}")
        return json.loads(result.out)

    def status(self, *arguments: str) -> Any:
        [store] = self.json("status", *arguments)["stores"]
        return store

    def findings(self, *arguments: str, env: Mapping[str, str] = {}) -> list[tuple[str, str]]:
        """What verify finds, as kinds and names of files."""
        result = self.run("verify", "--json", *arguments, env=env)
        [store] = json.loads(result.out)["stores"]
        found = [(each["kind"], os.path.basename(each["file"])) for each in store["findings"]]
        if result.code != (1 if found else 0):
            raise AssertionError(f"exit {result.code} with {found}")
        return found


def wait_stopped(pid_file: Path) -> int:
    """Waits until the process with this pid file is stopped; its number."""
    def stopped() -> int:
        try:
            pid = int(pid_file.read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return 0
        return pid if state in "tT" else 0
    return wait_for("the command is stopped", stopped)


class StoreAssertions(unittest.TestCase):
    """Mixed into a case."""

    def assertFormats(self, store: Path, form: str, count: int) -> None:
        """Every value, and there are `count`, is in this form; no private name is left."""
        names = [path.name for path in store.iterdir() if path.suffix != ".xml"]
        self.assertEqual(sorted(names), sorted(n for n in names if n.endswith(f".{form}")))
        self.assertEqual(len(names), count)

    def assertNothingIn(self, text: str, values: list[bytes]) -> None:
        for value in values:
            self.assertNotIn(value.decode(), text)
