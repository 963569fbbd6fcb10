# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test's end of an embedded_process."""

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.machine import Machine

PROGRAM = Path(__file__).parent / "embedded_process.py"


class Refused(Exception):
    """libvirt's error in the other process."""


class EmbeddedProcess:
    def __init__(self, machine: Machine, drivers: str) -> None:
        self._process = machine.popen(
            "/usr/bin/python3", "-B", str(PROGRAM), env={"LIBVIRT_DRIVER_DIR": drivers},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, command: str, *arguments: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, *arguments]).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the process ended with {self._process.wait()} at {command}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["answer"]

    def end(self) -> int:
        """The exit code after its connections were left to the end of the process."""
        self._process.communicate()
        return self._process.returncode

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
