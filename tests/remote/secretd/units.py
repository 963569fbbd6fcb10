# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the unit files of the source tree (systemd.syntax(7))."""

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[3] / "systemd"
SERVICE = DIRECTORY / "keyhold-secretd.service"
NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
SOCKETS = tuple(DIRECTORY / f"keyhold-secretd{which}.socket" for which in ("", "-ro", "-admin"))


class Unit:
    def __init__(self, path: Path) -> None:
        self._settings: dict[str, list[str]] = {}
        for line in path.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self._settings.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return self._settings[name]

    def one(self, name: str) -> str:
        (value,) = self._settings[name]
        return value

    def command(self) -> list[str]:
        return shlex.split(self.one("ExecStart"))


def filtered(unit: Unit) -> list[str]:
    """The command that puts the unit's filters of system calls in front of another command."""
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", NUMBERS.read_text()))
    calls = [numbers[name] for name in sorted(_allowed_calls(unit)) if name in numbers]
    families = [str(int(getattr(socket, name))) for name in unit.one("RestrictAddressFamilies").split()]
    if unit.one("MemoryDenyWriteExecute") != "yes" or unit.one("SystemCallErrorNumber") != "EPERM":
        raise AssertionError("the filter of confine.py is another one than the unit's")
    return [sys.executable, "-B", str(Path(__file__).parent / "confine.py"),
            ",".join(calls), ",".join(families)]


def _allowed_calls(unit: Unit) -> set[str]:
    allowed: set[str] = set()
    for line in unit.all("SystemCallFilter"):
        named = _calls_of(line.lstrip("~").split())
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def _calls_of(names: list[str]) -> set[str]:
    calls: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            calls.add(name)
            continue
        listed = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True,
                                capture_output=True, text=True).stdout.splitlines()[1:]
        calls |= _calls_of([line.strip() for line in listed if not line.strip().startswith("#")])
    return calls
