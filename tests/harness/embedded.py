# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process with an embedded root, on a private host: see embedded_host.py."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .machine import Machine
from .settings import settings

PROGRAM = Path(__file__).resolve().parent / "embedded_host.py"


class EmbeddedProcess:
    def __init__(self, machine: Machine, before: Sequence[str] = ()) -> None:
        self.log_file = machine.home / "embedded.log"
        self.process = machine.popen(
            *before, sys.executable, "-B", str(PROGRAM), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"LIBVIRT_DRIVER_DIR": settings().secret_only, "LIBVIRT_LOG_OUTPUTS": f"3:file:{self.log_file}"})

    @property
    def pid(self) -> int:
        return self.process.pid

    def __call__(self, *command: str | Path) -> str:
        """The answer; raises what is not "ok" or a number."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(" ".join(str(word) for word in command).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().strip()
        if answer != "ok" and not answer.isdigit():
            raise AssertionError(f"{command[0]}: {answer or 'the process ended'}")
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            try:
                stream.close()
            except BrokenPipeError:
                pass
