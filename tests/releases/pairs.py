# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every virsh against every daemon: each release's libvirtd with our module, each release's virsh as
its client, through a unix socket that all of them see."""

from __future__ import annotations

import base64
import subprocess
import time
import uuid as uuids
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SHARED = Path("/srv/shared")  # in a chroot
MODULE = "libvirt_driver_secret.so"
PATIENCE = 300.0  # seconds until a test gives up; no result depends on it
CONFIGURATION = """\
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_dir = "{sockets}"
log_outputs = "1:file:{log}"
"""
EVENTS = ("lifecycle", "value-changed")
VALUE = b"a value\0with a NUL and \xff\n"


@dataclass(frozen=True)
class Side:
    """A release: `command` makes an argument list that runs in its system."""

    command: Callable[..., list[str]]
    shared: Path  # the directory that all sides have, as this one sees it
    drivers: Path  # a directory there that holds our module alone

    @cached_property
    def name(self) -> str:
        return self.run("virsh", "--version").stdout.strip()

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: did not happen")
        time.sleep(0.02)


class Daemon:
    """A side's libvirtd. `directory` is what all sides see of it, from here."""

    def __init__(self, side: Side, directory: Path, module: Path) -> None:
        self.side, self.directory = side, directory
        directory.mkdir()
        inside = side.shared / directory.name
        (directory / "libvirtd.conf").write_text(
            CONFIGURATION.format(sockets=inside, log=inside / "log"))
        with (directory / "out").open("wb") as output:
            self.process = subprocess.Popen(
                side.command("env", f"LIBVIRT_DRIVER_DIR={side.drivers}", "libvirtd", "-f",
                             inside / "libvirtd.conf", "-p", inside / "pid"),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for(f"libvirtd of {side.name} listens", self._listens)
        if str(module.stat().st_ino) not in self._mapped():
            raise AssertionError(f"libvirtd of {side.name} has not loaded {module}")

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"libvirtd of {self.side.name} ended with {self.process.returncode}: "
                                 + (self.directory / "out").read_text())
        return (self.directory / "libvirt-sock").exists()

    def _mapped(self) -> set[str]:
        lines = Path(f"/proc/{self.process.pid}/maps").read_text().splitlines()
        return {line.split()[4] for line in lines if line.endswith(f"/{MODULE}")}

    def stop(self) -> None:
        self.process.terminate()
        if self.process.wait(PATIENCE) != 0:
            raise AssertionError(f"libvirtd of {self.side.name} ended with {self.process.returncode}")


class Client:
    """A side's virsh, connected to a daemon that may be another's. Files for it are in `directory`."""

    def __init__(self, side: Side, daemon: Daemon, directory: Path) -> None:
        self.side, self.directory = side, directory
        directory.mkdir()
        self.inside = side.shared / directory.name
        socket = side.shared / daemon.directory.name / "libvirt-sock"
        self.virsh = ("virsh", "-q", "-c", f"secret+unix:///system?socket={socket}")

    def __call__(self, *arguments: str) -> str:
        done = self.side.run(*self.virsh, *arguments)
        if done.returncode != 0:
            raise AssertionError(f"virsh {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout.strip()

    def error(self, *arguments: str) -> str:
        done = self.side.run(*self.virsh, *arguments)
        if done.returncode == 0:
            raise AssertionError(f"virsh {' '.join(arguments)} succeeded: {done.stdout}")
        return done.stderr

    def file(self, name: str, content: bytes) -> str:
        (self.directory / name).write_bytes(content)
        return str(self.inside / name)

    def watch(self) -> Watch:
        """Returns when events are seen to arrive."""
        watch = Watch(self)
        uuid = str(uuids.uuid4())
        probe = self.file("probe.xml", definition(uuid, f"probe {uuid}", "ephemeral='yes'"))

        def receives() -> bool:
            self("secret-define", probe)
            self("secret-set-value", uuid, "--base64", "AAAA")
            return all(watch.seen(kind) for kind in EVENTS)
        try:
            wait_for("virsh secret-event receives", receives)
            self("secret-undefine", uuid)
        except BaseException:
            watch.stop()
            raise
        return watch


class Watch:
    """`virsh secret-event`, a process for each kind of event."""

    def __init__(self, client: Client) -> None:
        self._logs = {kind: client.directory / f"events-{kind}" for kind in EVENTS}
        self._processes = []
        for kind, log in self._logs.items():
            command = ("stdbuf", "-oL", *client.virsh, "secret-event", "--event", kind, "--loop")
            with log.open("wb") as output:
                self._processes.append(subprocess.Popen(
                    client.side.command(*command), stdin=subprocess.DEVNULL, stdout=output, stderr=output))

    def seen(self, kind: str, uuid: str = "") -> list[str]:
        """What virsh says of the secret, or of all."""
        return [line for line in self._logs[kind].read_text().splitlines()
                if line.startswith("event ") and uuid in line]

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def definition(uuid: str, usage: str, attributes: str = "ephemeral='no'") -> bytes:
    return (f"<secret {attributes}>\n  <uuid>{uuid}</uuid>\n  <usage type='ceph'>\n"
            f"    <name>{usage}</name>\n  </usage>\n</secret>\n").encode()


def equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def check(client: Client) -> None:
    """The whole life of a secret."""
    uuid, private = str(uuids.uuid4()), str(uuids.uuid4())
    usage = f"of {client.directory.name}"
    value = client.file("value", VALUE)
    for line in client("secret-list").splitlines():  # of what ran in this system before
        client("secret-undefine", line.split()[0])
    watch = client.watch()
    try:
        client("secret-define", client.file("own.xml", definition(uuid, usage)))
        client("secret-set-value", uuid, "--plain", "--file", value)
        equal("value", base64.b64decode(client("secret-get-value", uuid)), VALUE)
        wanted = definition(uuid, usage, "ephemeral='no' private='no'").decode().strip()
        equal("definition", client("secret-dumpxml", uuid), wanted)
        listed = [line.split(maxsplit=2) for line in client("secret-list", "--no-ephemeral").splitlines()]
        equal("list", listed, [[uuid, "ceph", usage]])
        client("secret-define", client.file(
            "private.xml", definition(private, f"{usage}, private", "private='yes'")))
        client("secret-set-value", private, "--plain", "--file", value)
        if "secret is private" not in client.error("secret-get-value", private):
            raise AssertionError("a private value is not refused as such")
        for secret in (private, uuid):
            client("secret-undefine", secret)
        if "no secret with matching uuid" not in client.error("secret-dumpxml", uuid):
            raise AssertionError("a secret that is gone is not missing as such")
        lifecycle = f"event 'lifecycle' for secret {uuid}:"
        expected = {"lifecycle": [f"{lifecycle} Defined", f"{lifecycle} Undefined"],
                    "value-changed": [f"event 'value-changed' for secret {uuid}"]}
        for kind, lines in expected.items():
            wait_for(f"the last event of {kind}", lambda: len(watch.seen(kind, uuid)) >= len(lines))
            equal("events", watch.seen(kind, uuid), lines)
    finally:
        watch.stop()


def run(sides: dict[Side, Path], shared: Path, note: Callable[[str, bool, str], None]) -> None:
    """`sides` and their modules as seen from here; `shared` likewise. Notes a result for each pair."""
    daemons = []
    for side, module in sides.items():
        try:
            daemons.append(Daemon(side, shared / side.name, module))
        except AssertionError as failure:
            note(f"libvirtd of {side.name}", False, str(failure))
    for daemon in daemons:
        for side in sides:
            what = f"virsh of {side.name}, libvirtd of {daemon.side.name}"
            try:
                check(Client(side, daemon, shared / f"{side.name}-to-{daemon.side.name}"))
                note(what, True, "")
            except (AssertionError, subprocess.TimeoutExpired) as failure:
                note(what, False, str(failure))
    for daemon in daemons:
        daemon.stop()
