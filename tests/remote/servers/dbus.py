# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system bus of a machine: the distribution's dbus-daemon and configuration on a private
/run/dbus."""

import shutil
import subprocess
from pathlib import Path

from harness.machine import Machine, User
from harness.waiting import wait_for


class SystemBus:
    """`package` is the directory of an unpacked package that brings a service."""

    def __init__(self, machine: Machine, package: Path | None = None) -> None:
        self.machine = machine
        if package:
            share, target = "usr/share/dbus-1", machine.home / "dbus-share"
            for source in (Path("/", share), package / share):
                shutil.copytree(source, target, dirs_exist_ok=True)
            machine.bind(target, f"/{share}")
        run = machine.home / "dbus"
        run.mkdir()
        machine.bind(run, "/run/dbus")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._bus = self.run("dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog",
                             "--print-address")
        assert self._bus.stdout is not None
        said = [b""]
        while not said[-1].startswith(b"unix:"):  # its address, once the socket is there
            said.append(self._bus.stdout.readline())
            if not said[-1]:
                raise AssertionError(f"dbus-daemon ended: {said}")

    def run(self, *command: str, user: User | None = None) -> subprocess.Popen[bytes]:
        """Starts a process that needs this bus; it ends with the bus at the latest."""
        process = self.machine.popen(*command, user=user, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._processes.append(process)
        return process

    def serve(self, name: str, *command: str, user: User | None = None) -> subprocess.Popen[bytes]:
        """Starts a service; returns when it has its name on the bus."""
        process = self.run(*command, user=user)

        def is_there() -> bool:
            if process.poll() is not None:
                assert process.stdout is not None
                raise AssertionError(f"{command[0]} ended: {process.stdout.read().decode()}")
            return "boolean true" in self.call(
                "org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", f"string:{name}")
        wait_for(f"{name} is on the bus", is_there)
        return process

    def call(self, destination: str, path: str, method: str, *arguments: str) -> str:
        return self.machine.run("dbus-send", "--system", "--print-reply", f"--dest={destination}",
                                path, method, *arguments).ok()

    def close(self) -> None:
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.communicate()
