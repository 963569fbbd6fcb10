# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the audit trail costs: a call with it beside one without it, and a record beside the bare
system calls of one."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .calls import asking
from .daemons import pin, running
from .plan import Plan
from .programs import Figures, Program
from .rounds import Samples, interleave

SIDES = {"off": "", "without sync": "audit = 1\naudit_sync = 0\n", "with sync": "audit = 1\n"}
THREADS = 16
SECRETS = 1_000


@contextmanager
def in_memory(directory: Path) -> Iterator[None]:
    """As /run is on a host: the driver looks for a file system in memory."""
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "none", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


def in_process(plan: Plan) -> dict[str, Samples]:
    with ExitStack() as stack:
        sides: dict[str, Program] = {}
        for side, settings in SIDES.items():
            root = plan.stores.new_directory(f"audit-{side.replace(' ', '-')}")
            (root / "etc").mkdir()
            (root / "etc/secret.conf").write_text(settings + "# nothing\n")
            plan.stores.fill(root / "etc/secrets", SECRETS)
            stack.enter_context(in_memory(root / "run"))
            sides[side] = stack.enter_context(plan.programs.embedded("ours", root, SECRETS))
        return asking(sides, {side: "read get 2000" for side in sides}, plan.rounds * 3)


def through_libvirtd(plan: Plan) -> dict[str, Samples]:
    with ExitStack() as stack:
        sides: dict[str, Program] = {}
        for side, settings in SIDES.items():
            daemon, _seconds = stack.enter_context(
                running(plan, "ours", SECRETS, settings=settings))
            client = stack.enter_context(plan.programs.remote(daemon.socket_uri(), SECRETS))
            pin(daemon.pid, 0)
            pin(client.pid, 1)
            sides[side] = client
        return asking(sides, {side: "read get 400" for side in sides}, plan.rounds * 5)


def writer(plan: Plan) -> dict[str, Samples]:
    """Seconds a record, and what one write takes with it."""
    directory = plan.stores.new_directory("audit-trail")
    times = plan.changes * 10  # a processor that slept is slow at first
    with Program(plan.programs.path("bench_trail"), directory, "sync") as program:
        def ask(command: str) -> Callable[[], Figures]:
            return lambda: program.ask(command)
        return interleave({"bare": ask(f"bare {times}"), "1 caller": ask(f"admit {times} 1"),
                           f"{THREADS} callers": ask(f"admit {times} {THREADS}")}, plan.rounds * 3)


def measure(plan: Plan) -> dict[str, Any]:
    return {"in process": in_process(plan), "libvirtd": through_libvirtd(plan), "writer": writer(plan)}
