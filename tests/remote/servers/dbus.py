# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system bus of a machine: the distribution's dbus-daemon and configuration on a private
/run/dbus."""

import subprocess

from harness.machine import Machine
from harness.waiting import wait_for


class SystemBus:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        run = machine.home / "dbus"
        run.mkdir()
        machine.bind(run, "/run/dbus")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._bus = self.run("dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog",
                             "--print-address")
        assert self._bus.stdout is not None
        address = self._bus.stdout.readline()  # written once the socket is there
        if not address:
            raise AssertionError(f"dbus-daemon ended with {self._bus.wait()}")

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """Starts a service of this bus; it ends with the bus at the latest."""
        process = self.machine.popen(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
        self._processes.append(process)
        return process

    def wait_for_name(self, name: str) -> None:
        wait_for(f"{name} is on the bus", lambda: "boolean true" in self.call(
            "org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", f"string:{name}"))

    def call(self, destination: str, path: str, method: str, *arguments: str) -> str:
        return self.machine.run("dbus-send", "--system", "--print-reply", f"--dest={destination}",
                                path, method, *arguments).ok()

    def close(self) -> None:
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.communicate()
