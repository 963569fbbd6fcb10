#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks the pages for operators, word for word, in Debian systems with systemd as PID 1.

Run as root: run.py [--suite SUITE] DIR, where DIR holds the .debs that scripts/package made for SUITE.
README.md beside this file says how, and which test shows what."""

import argparse
import subprocess
import sys
import unittest
from pathlib import Path

from walk import WalkCase

HERE = Path(__file__).resolve().parent


class System(WalkCase):
    def test_it_boots_and_libvirtd_serves_by_its_socket_with_our_driver(self) -> None:
        self.host.run("systemctl stop libvirtd.service").ok()
        self.install("keyhold", "keyhold-tools")
        self.assertEqual(self.host.run("systemctl is-active libvirtd.service").output.strip(), "inactive")
        self.host.run("virsh -c qemu:///system secret-list").ok()
        self.assertEqual(self.host.run("systemctl is-active libvirtd.service").output.strip(), "active")
        self.assertIn('"driver":"keyhold"', self.host.run("keyhold status --json | tr -d ' \\n'").ok())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("debs", type=Path, metavar="DIR")
    options, rest = parser.parse_known_args()
    WalkCase.suite = options.suite
    WalkCase.debs = options.debs.resolve()
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", "--boot", options.suite], check=True,
                          stdout=subprocess.PIPE, text=True)
    WalkCase.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
