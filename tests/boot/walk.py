# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the walks have in common: a system for each test, and a page that is walked in it."""

import sys
import unittest
from pathlib import Path

from booted import Booted
from pages import blocks
from shell import Shell

SOURCE = Path(__file__).resolve().parents[2]


class WalkCase(unittest.TestCase):
    suite: str
    debs: Path
    base: Path

    def setUp(self) -> None:
        self.host = self.boot("hypervisor")
        self.systems = {"host": self.host}

    def boot(self, name: str) -> Booted:
        system = Booted(self.base, name)
        self.addCleanup(system.close)
        return system

    def deb(self, package: str) -> Path:
        [path] = self.debs.glob(f"{package}_*.deb")
        return path

    def install(self, *packages: str, on: Booted | None = None) -> None:
        system = on or self.host
        files = [self.deb(package) for package in packages]
        system.bring(files, "/root/packages")
        system.run(f"dpkg -i {' '.join(f'/root/packages/{file.name}' for file in files)}").ok()

    def walk(self, page: str, *sections: str) -> None:
        """Runs what the page says, from its first line to its last, in the order that it has."""
        shells = {}
        for block in blocks(SOURCE / page, page, sections):
            marks = block.marks
            for step in marks.steps:
                getattr(self, step)()
            if marks.not_run:
                print(f"{block.place}: not run: {marks.not_run}", file=sys.stderr)
                continue
            if marks.system not in self.systems:
                self.fail(f"{block.place}: the test has no system '{marks.system}'")
            if marks.system not in shells:
                shells[marks.system] = Shell(self.systems[marks.system])
                self.addCleanup(shells[marks.system].close)
            shells[marks.system].run(block)
