# SPDX-License-Identifier: LGPL-2.1-or-later
"""A listener on the loopback interface of a host."""

import subprocess

from example_host import ExampleHost
from harness.waiting import wait_for

LISTEN = """
import os, socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("lo", 0))
while True:
    os.write(1, wire.recv(1 << 17))
"""
SAY = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"{}", ("127.0.0.1", 9))'


class Wiretap:
    """Hears from the construction to `close`."""

    def __init__(self, machine: ExampleHost) -> None:
        self._machine = machine
        self._heard = machine.home / "heard"
        with self._heard.open("wb") as output:
            self._process = machine.popen("/usr/bin/python3", "-c", LISTEN,
                                          stdin=subprocess.DEVNULL, stdout=output)
        wait_for("the wire is heard", lambda: self._says("begin"))

    def heard(self) -> bytes:
        """All that went over the interface up to now."""
        wait_for("the end is heard", lambda: self._says("end"))
        return self._heard.read_bytes()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _says(self, word: str) -> bool:
        self._machine.run("/usr/bin/python3", "-c", SAY.format(word * 8)).ok()
        return (word * 8).encode() in self._heard.read_bytes()
