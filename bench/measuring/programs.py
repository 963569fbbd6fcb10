# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs that measure, and how they are talked to."""

import math
import os
import select
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

Figures = dict[str, float]
LIMIT = 900.0  # seconds after which an answer is not waited for
ALWAYS_SOME = ("seconds", "wall", "per_second", "p99")  # of these, nothing or for ever is nonsense


class Failed(Exception):
    """A program ended, or said something that is no figure."""


def parse(line: str, who: str) -> Figures:
    try:
        figures = {name: float(number) for name, number in (word.split("=") for word in line.split())}
    except ValueError:
        raise Failed(f"{who} answered {line!r}") from None
    if not figures or any(not 0 < figures.get(name, 1) < math.inf for name in ALWAYS_SOME):
        raise Failed(f"{who} answered {line!r}")
    return figures


class Program:
    """A program that was started and waits for commands."""

    def __init__(self, *argv: str | Path, env: Mapping[str, str] = {}) -> None:
        self.name = Path(argv[0]).name
        self._process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, "LC_ALL": "C", **env})

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self) -> Figures:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], LIMIT)[0]:
            self._process.kill()
            raise Failed(f"{self.name} has not answered for {LIMIT:g} s")
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise Failed(f"{self.name} ended with {self._process.wait()}; its reason is above")
        return parse(line, self.name)

    def ask(self, command: str) -> Figures:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says how it ended
        return self.answer()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class Client(Program):
    """bench_client; what its opening took is in `opened`."""

    def __init__(self, *argv: str | Path, env: Mapping[str, str] = {}) -> None:
        super().__init__(*argv, env=env)
        self.opened = self.answer()


@dataclass(frozen=True)
class Programs:
    """Where everything is that is run."""

    build: Path
    ours: Path  # a directory that holds our module alone
    stock: Path  # one that holds the stock module
    earlier: Path | None = None  # one that holds the module of an earlier build

    def path(self, name: str) -> Path:
        return self.build / "bench" / name

    def modules(self) -> dict[str, Path]:
        modules = {"stock": self.stock, "ours": self.ours}
        return modules | ({"earlier": self.earlier} if self.earlier else {})

    def embedded(self, module: str, root: Path, count: int) -> Client:
        """A process that has opened the embedded root with this module."""
        return Client(self.path("bench_client"), f"secret:///embed?root={root}", str(count),
                      env={"LIBVIRT_DRIVER_DIR": str(self.modules()[module])})

    def session(self, module: str, directory: Path, count: int) -> Client:
        """A process that is its own session daemon with this module."""
        return Client(self.path("bench_client"), "secret:///session", str(count), directory,
                      env={"LIBVIRT_DRIVER_DIR": str(self.modules()[module])})

    def remote(self, uri: str, count: int) -> Client:
        """A process that is a client of a daemon."""
        return Client(self.path("bench_client"), uri, str(count))

    def once(self, name: str, *arguments: str | Path) -> Figures:
        """The figures of a program that measures one thing and ends."""
        with Program(self.path(name), *arguments) as program:
            return program.answer()

    def run(self, name: str, *arguments: str | Path) -> str:
        """The output of a program that must succeed."""
        command = [str(word) for word in (self.path(name), *arguments)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout
