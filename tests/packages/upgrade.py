#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Upgrades a Debian 12 that has the packages to Debian 13, with a repository of ours for it and without one.

Run as root: upgrade.py BOOKWORM TRIXIE, the directories that have the .debs of each."""

import subprocess
import sys
import unittest
from pathlib import Path

from case import HERE, PackageCase


class Upgrade(PackageCase):
    suite = "bookworm"
    of_next_release: Path

    def setUp(self) -> None:
        super().setUp()
        self.define()
        self.repository({"bookworm": self.debs, "trixie": self.of_next_release})
        self.use_repository("bookworm")
        self.system.apt("update").ok()
        self.system.apt("install", "keyhold").ok()
        self.system.run("sh", "-ec", "umask 077; keyhold key generate /etc/libvirt/key; "
                        "echo 'secrets_encryption_key = \"/etc/libvirt/key\"' >/etc/libvirt/secret.conf; keyhold seal").ok()

    def upgrade(self) -> None:
        sources = self.system.root / "etc/apt/sources.list"
        sources.write_text(sources.read_text(encoding="utf-8").replace("bookworm", "trixie"), encoding="utf-8")
        self.system.apt("update").ok()
        self.system.apt("-o", "Dpkg::Options::=--force-confold", "full-upgrade").ok()
        self.assertIn("11.3.0", self.system.run("dpkg-query", "-W", "-f", "${Version}", "libvirt0").ok())
        # of the new release, which has it in another package
        [stock] = self.system.run("sh", "-c", f"dpkg -S {self.driver} | grep -v '^diversion'").ok().splitlines()
        self.assertTrue(stock.startswith("keyhold:"), stock)
        self.assertIn(f"{self.driver}.distrib by keyhold", self.system.run("dpkg-divert", "--list", self.driver).ok())
        self.assertNotEqual(self.system.sha256(self.driver + ".distrib"), self.stock)
        self.assertEqual(self.driver_at_work(), '"driver":"keyhold"')
        self.assertServed()

    def version(self) -> str:
        return self.system.run("dpkg-query", "-W", "-f", "${Version}", "keyhold").ok()

    def test_with_a_repository_of_the_next_release(self) -> None:
        self.use_repository("trixie")
        self.upgrade()
        self.assertTrue(self.version().endswith("~deb13"), self.version())

    def test_without_one(self) -> None:
        (self.system.root / "etc/apt/sources.list.d/keyhold.sources").unlink()
        self.upgrade()
        self.assertTrue(self.version().endswith("~deb12"), self.version())


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PackageCase.debs, Upgrade.of_next_release = (Path(name).resolve() for name in sys.argv[1:3])
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", "bookworm"], check=True, stdout=subprocess.PIPE,
                          text=True)
    PackageCase.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)


if __name__ == "__main__":
    main()
