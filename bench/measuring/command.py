# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operator's command: on a store whose key is lost, beside a process that has the store open, so
that it looks twice and finds every value unreadable; and on an audit trail."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .plan import Plan
from .programs import Failed, Figures, Program
from .rounds import interleave

WORDS = {"status": ("status",), "verify": ("verify",), "status as JSON": ("status", "--json"),
         "verify as JSON": ("verify", "--json"), "check": ("check",), "list": ("list",),
         "list as JSON": ("list", "--json")}
EXITS = {"verify": 1, "check": 2}
# "test": a host that is always there, and has no secrets
AUDIT_WORDS = {"audit verify": ("verify",), "audit show": ("show",), "audit show as JSON": ("show", "--json"),
               "audit who": ("who", "--connect", "test:///default", "ceph:client.libvirt secret"),
               "audit who of none": ("who", "--connect", "test:///default", "ceph:nobody")}


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


def keyhold(plan: Plan) -> Path:
    return plan.programs.build / "src/command/keyhold"


def run(plan: Plan, *words: str | Path) -> Figures:
    """Seconds by the clock and of processor time, and the bytes of memory it had at most."""
    begin = time.monotonic()
    process = subprocess.Popen([keyhold(plan), *words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != EXITS.get(str(words[0]), 0):
        raise Failed(f"keyhold {' '.join(str(word) for word in words)} ended with {process.returncode}")
    return {"wall": time.monotonic() - begin, "cpu": used.ru_utime + used.ru_stime,
            "peak": used.ru_maxrss * 1024.0}


def measure(plan: Plan) -> dict[str, Any]:
    root = plan.stores.root("sealed", plan.large)
    with without_key(root), held(root / "etc/secrets"):
        return dict(interleave({name: lambda w=words: run(plan, *w, "--root", root)  # type: ignore[misc]
                                for name, words in WORDS.items()}, min(plan.rounds, 3)))


def measure_audit(plan: Plan) -> dict[str, Any]:
    """A sealed trail of its own, and the figures of what reads it to its end."""
    directory, root = plan.stores.new_directory("trail"), plan.stores.new_directory("trail-root")
    key = root / "printed"
    key.write_bytes(subprocess.run([keyhold(plan), "audit", "init", "--root", root], check=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    (directory / "key").mkdir()
    shutil.copy2(root / "lib/audit-key", directory / "key")
    with Program(plan.programs.path("bench_trail"), directory, "nosync") as program:
        program.ask(f"admit {plan.records} 1")
    trail = directory / "audit.jsonl"
    of_trail = {name: ("audit", *words, "--root", root, "--file", trail,
                       *(("--key-file", key) if words == ("verify",) else ()))
                for name, words in AUDIT_WORDS.items()}
    found = dict(interleave({name: lambda w=words: run(plan, *w)  # type: ignore[misc]
                             for name, words in of_trail.items()}, min(plan.rounds, 3)))
    return {"bytes": trail.stat().st_size, "commands": found}
