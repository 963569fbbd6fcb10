# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operator's command on a store whose key is lost, beside a process that has the store open, so
that it looks twice and finds every value unreadable."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .plan import Plan
from .programs import Failed, Figures
from .rounds import interleave

WORDS = {"status": ("status",), "verify": ("verify",), "status as JSON": ("status", "--json"),
         "verify as JSON": ("verify", "--json"), "check": ("check",), "list": ("list",),
         "list as JSON": ("list", "--json")}
EXITS = {"verify": 1, "check": 2}


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """The lock on the directory, as a driver takes it."""
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


@contextmanager
def without_key(root: Path) -> Iterator[None]:
    settings = root / "etc/secret.conf"
    text = settings.read_text()
    settings.write_text("# nothing\n")
    try:
        yield
    finally:
        settings.write_text(text)


def run(plan: Plan, root: Path, *words: str) -> Figures:
    """Seconds by the clock and of processor time, and the bytes of memory it had at most."""
    command = plan.programs.build / "src/command/keyhold"
    begin = time.monotonic()
    process = subprocess.Popen([command, *words, "--root", root], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != EXITS.get(words[0], 0):
        raise Failed(f"keyhold {' '.join(words)} ended with {process.returncode}")
    return {"wall": time.monotonic() - begin, "cpu": used.ru_utime + used.ru_stime,
            "peak": used.ru_maxrss * 1024.0}


def measure(plan: Plan) -> dict[str, Any]:
    root = plan.stores.root("sealed", plan.large)
    with without_key(root), held(root / "etc/secrets"):
        return dict(interleave({name: lambda w=words: run(plan, root, *w)  # type: ignore[misc]
                                for name, words in WORDS.items()}, min(plan.rounds, 3)))
