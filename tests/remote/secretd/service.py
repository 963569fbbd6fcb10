# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of systemd: listens on the sockets of the units, and runs the service with them."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import libvirt

from harness.machine import Machine
from harness.settings import settings
from harness.waiting import wait_for

from .units import DIRECTORY, SERVICE, SOCKETS, Unit

RUN = Path("/run/libvirt")


class SecretsService:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.unit, self._sockets = Unit(SERVICE), [Unit(path) for path in SOCKETS]
        self.output = machine.home / "secretd.out"
        self.process: subprocess.Popen[bytes] | None = None
        self._connections: list[libvirt.virConnect] = []
        self.store = machine.etc / self.unit.one("ConfigurationDirectory").removeprefix("libvirt/")
        self.store.mkdir(mode=int(self.unit.one("ConfigurationDirectoryMode"), 8))
        configuration = "keyhold-secretd.conf"
        (machine.etc / configuration).write_text((DIRECTORY / configuration).read_text())
        self._listening = [self._listen(unit) for unit in self._sockets]

    def _listen(self, unit: Unit) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        path = self.outside(unit.one("ListenStream"))
        listening.bind(str(path))
        path.chmod(int(unit.one("SocketMode"), 8))
        listening.listen()
        return listening

    def outside(self, path: str) -> Path:
        return self._machine.run_dir / Path(path).relative_to(RUN)

    def start(self, before: Sequence[str] = (), arguments: Sequence[str] = ()) -> None:
        """The command of the unit; `before` goes in front of it, `arguments` behind."""
        # what the child does last, for LISTEN_PID to be its own
        take_over = ('exec 3<&"$1" 4<&"$2" 5<&"$3"; shift 3; export LISTEN_PID=$$ LISTEN_FDS=3; exec "$@"')
        descriptors = [listening.fileno() for listening in self._listening]
        with self.output.open("ab") as output:
            self.process = self._machine.popen(
                "bash", "-eu", "-c", take_over, "bash", *(str(number) for number in descriptors),
                *before, *self.unit.command(), *arguments, pass_fds=descriptors,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={"LISTEN_FDNAMES": ":".join(unit.one("FileDescriptorName")
                                                for unit in self._sockets),
                     # the directory that the unit names is made by whoever installs it
                     "LIBVIRT_DRIVER_DIR": settings().secret_only})
        self._wait_answers()

    def _wait_answers(self) -> None:
        """A client of a service that ended would wait for ever: its socket still listens."""
        process = self.process
        client = self._machine.popen("virsh", "-c", "secret:///system", "uri", stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("the service answers",
                     lambda: client.poll() is not None or process is not None and process.poll() is not None)
        finally:
            client.kill()
            client.wait()
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the service ended with {process.poll()}: {self.output.read_text()[-2000:]}")

    def virsh(self, *command: str, readonly: bool = False) -> str:
        """virsh without a word about sockets."""
        return self._machine.virsh(*command, readonly=readonly).ok()

    def open(self, readonly: bool = False) -> libvirt.virConnect:
        opener = libvirt.openReadOnly if readonly else libvirt.open
        path = self.outside(self._sockets[1 if readonly else 0].one("ListenStream"))
        connection = opener(f"secret:///system?socket={path}")
        self._connections.append(connection)
        return connection

    def close_connections(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def wait(self) -> int:
        assert self.process is not None
        self.close_connections()
        return self.process.wait(settings().patience)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for listening in self._listening:
            listening.close()
