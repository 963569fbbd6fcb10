# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two private libvirtd, one with each module, and a client of each on its unix socket."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import libvirt

from harness.daemon import Daemon
from harness.machine import Machine

from .calls import asking
from .plan import Plan
from .programs import Failed, Figures, Program
from .rounds import interleave

PATIENCE = 300.0  # seconds
READS = ("uuid", "usage", "miss", "get", "xml", "count", "list", "uuids")
CHANGES = ("define", "redefine", "set", "undefine")
LIST_LIMIT = 16384  # REMOTE_SECRET_LIST_MAX of libvirt's protocol
VALUE_LIMIT = 65536  # REMOTE_SECRET_VALUE_MAX


@contextmanager
def running(plan: Plan, module: str, count: int, store: Path | None = None, settings: str = ""
            ) -> Iterator[tuple[Daemon, float]]:
    """A daemon with so many secrets and these settings of the audit trail, and the seconds from the start of the process
    to its first answer."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    directory = store or plan.stores.new_directory(f"daemon-{module}-{count}")
    if store is None:
        plan.stores.fill(directory, count)
    machine = Machine()
    try:
        machine.store.mkdir(mode=0o700)
        machine.bind_all({directory: "/etc/libvirt/secrets"})
        if settings:
            (machine.etc / "secret.conf").write_text(f'{settings}audit_file = "{machine.home}/audit.jsonl"\n')
            state = "/run/libvirt/secrets"  # in memory, as on a host
            machine.run("sh", "-euc", f"mkdir -p {state}; mount -t tmpfs -o mode=0700 none {state}").ok()
        begin = time.monotonic()
        daemon = Daemon(machine, driver_dir=str(plan.programs.modules()[module]))
        try:
            first_answer(daemon, count, begin + PATIENCE)
            yield daemon, time.monotonic() - begin
            daemon.stop()
        finally:
            daemon.close()
    finally:
        machine.close()


def first_answer(daemon: Daemon, count: int, deadline: float) -> None:
    while time.monotonic() < deadline:
        if daemon.process.poll() is not None:
            raise Failed(f"libvirtd ended: {daemon.log()[-1000:]}")
        try:
            connection = libvirt.open(daemon.socket_uri())
        except libvirt.libvirtError:
            time.sleep(0.001)
            continue
        found = connection.numOfSecrets()
        connection.close()
        if found != count:
            raise Failed(f"libvirtd has {found} secrets instead of {count}")
        return
    raise Failed(f"libvirtd does not answer in {PATIENCE:g} s")


def pin(process: int, processor: int) -> None:
    """Its threads of now, and so those that they start, to one of the processors there are."""
    present = sorted(os.sched_getaffinity(0))
    for task in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(task.name), {present[processor % len(present)]})


def measure(plan: Plan, count: int) -> dict[str, Any]:
    """Seconds a call, of each module, by its name. A round trip takes 70 or 105 microseconds by
    whether client and daemon share a processor, and stays so for minutes: here they never do."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        sides: dict[str, Program] = {}
        for module in ("stock", "ours"):
            daemon, _seconds = stack.enter_context(running(plan, module, count))
            client = stack.enter_context(plan.programs.remote(daemon.socket_uri(), count))
            pin(daemon.pid, 0)
            pin(client.pid, 1)
            sides[module] = client

        def compare(name: str, command: str) -> None:
            # differences of some percent are asked for: more rounds than elsewhere
            found[name] = asking(sides, {side: command for side in sides}, plan.rounds * 3)
        for name in READS:
            scans = name in ("count", "list", "uuids")
            times = max(1, 20_000 // count) if scans else 200
            compare(name, f"read {name} {times}")
        compare("define and undefine ephemeral", "write ephemeral 20 1")
        rounds: dict[str, dict[str, dict[str, list[float]]]] = {
            name: {side: {"seconds": []} for side in sides} for name in CHANGES}
        for number in range(plan.rounds * 2):
            for name in CHANGES:
                for side in sorted(sides, reverse=number % 2 == 1):
                    seconds = sides[side].ask(f"write {name} {max(1, plan.changes // 5)} 1")["seconds"]
                    rounds[name][side]["seconds"].append(seconds)
        found.update(rounds)
    return found


def measure_start(plan: Plan) -> dict[str, Any]:
    """Seconds from the start of the daemon to its first answer: empty, and with many secrets."""
    def once(module: str, count: int, store: Path) -> Figures:
        with running(plan, module, count, store) as (_daemon, seconds):
            return {"wall": seconds}
    empty = plan.stores.new_directory("daemon-empty")
    large = plan.stores.directory("plain", plan.large)
    return dict(interleave({
        "stock, empty": lambda: once("stock", 0, empty),
        "ours, empty": lambda: once("ours", 0, empty),
        "ours": lambda: once("ours", plan.large, large),
        "floor": lambda: plan.programs.once("floor_reads", large),
    }, plan.rounds))


def refusal(call: Any, *arguments: Any) -> str:
    try:
        call(*arguments)
    except libvirt.libvirtError as error:
        return str(error)
    raise Failed(f"{call.__name__} was not refused")


def measure_limits(plan: Plan) -> dict[str, Any]:
    """What a client sees at the limits of libvirt's protocol, and above."""
    with running(plan, "ours", LIST_LIMIT) as (daemon, _seconds):
        connection = libvirt.open(daemon.socket_uri())
        begin = time.monotonic()
        listed = len(connection.listAllSecrets())
        seconds = time.monotonic() - begin
        secret = connection.secretDefineXML("<secret/>")
        found = {
            "listed": listed, "seconds": seconds,
            "list above": refusal(connection.listAllSecrets),
            "uuids above": refusal(connection.listSecrets),
            "counted above": connection.numOfSecrets(),
        }
        value = bytes(VALUE_LIMIT)
        secret.setValue(value)
        if secret.value() != value:
            raise Failed("a value of 64 KiB came back as another one")
        found["value above"] = refusal(secret.setValue, value + b"x")
        found["value kept"] = secret.value() == value
        connection.close()
    return found
