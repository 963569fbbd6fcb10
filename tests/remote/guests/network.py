# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine with a loopback of its own: whatever port a test listens on, nobody else has it."""

from harness.machine import Machine


class NetworkMachine(Machine):
    namespaces = ("mount", "net")

    def __init__(self) -> None:
        super().__init__()
        self.run("ip", "link", "set", "lo", "up").ok()
