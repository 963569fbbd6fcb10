# SPDX-License-Identifier: LGPL-2.1-or-later
"""strace on a running daemon: delays and kills it at a chosen system call."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .daemon import Daemon
from .waiting import wait_for


class Trace:
    """Attached to all threads of the daemon from the construction to `close`.

    With `paths` (as the daemon sees them) only calls that concern one of them are seen and injected into."""

    def __init__(self, daemon: Daemon, calls: str, inject: list[str],
                 paths: Sequence[str] = ()) -> None:
        self._daemon = daemon
        self._output = daemon.home / "strace.out"
        self._output.unlink(missing_ok=True)
        command = ["strace", "-f", "-p", str(daemon.pid), "-o", str(self._output), "-e", f"trace={calls}"]
        for rule in inject:
            command += ["-e", f"inject={rule}"]
        for path in paths:
            # a call relative to a directory is matched by the name it gives
            command += ["-P", path, "-P", Path(path).name]
        self._process = daemon.machine.popen(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("strace is attached", self._attached)

    def _attached(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"strace ended with {self._process.returncode}")
        for task in Path(f"/proc/{self._daemon.pid}/task").iterdir():
            if f"TracerPid:\t{self._process.pid}" not in (task / "status").read_text():
                return False
        return True

    def seen(self) -> str:
        """The calls so far."""
        return self._output.read_text() if self._output.exists() else ""

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
