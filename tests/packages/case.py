# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages in a Debian system: how they are changed, installed and looked at."""

import os
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path

from system import Result, System

HERE = Path(__file__).resolve().parent
UUID = "5f4e3d2c-1b0a-4988-a776-655443322110"
XML = f"<secret ephemeral='no' private='no'><uuid>{UUID}</uuid></secret>"
VALUE = "dmFsdWUgb2YgYmVmb3Jl"  # base64, as virsh takes it
WITH_DAEMON = """
mkdir -p /run/libvirt
libvirtd --daemon --pid-file /run/libvirtd.pid
for _ in $(seq 300); do virsh -q -c secret:///system uri >/dev/null 2>&1 && break; sleep 0.1; done
"""
DRIVER_AT_WORK = "keyhold status --json | tr -d ' \\n' | grep -o '\"driver\":\"[a-z]*\"'"


class PackageCase(unittest.TestCase):
    suite: str
    debs: Path
    base: Path

    def setUp(self) -> None:
        self.system = System(self.base)
        self.addCleanup(self.system.close)
        self.driver = self.system.run("sh", "-c", "ls /usr/lib/*/libvirt/connection-driver/libvirt_driver_secret.so").ok()
        self.stock = self.system.sha256(self.driver)

    # --- the packages ----------------------------------------------------------------------

    def deb(self, package: str) -> Path:
        [path] = self.debs.glob(f"{package}_*.deb")
        return path

    def changed(self, package: str, version: str = "", scripts: Mapping[str, str] = {}) -> Path:
        """The package with another version, or with another beginning of maintainer scripts."""
        place = Path(tempfile.mkdtemp(prefix="keyhold-deb-"))
        self.addCleanup(shutil.rmtree, place)
        tree = place / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", self.deb(package), tree], check=True)
        control = tree / "DEBIAN/control"
        text = control.read_text(encoding="utf-8")
        [old] = [line.split()[1] for line in text.splitlines() if line.startswith("Version:")]
        control.write_text(text.replace(old, version or old), encoding="utf-8")
        for name, beginning in scripts.items():
            script = tree / "DEBIAN" / name
            lines = script.read_text(encoding="utf-8").splitlines()
            script.write_text("\n".join([lines[0], beginning, *lines[1:]]) + "\n", encoding="utf-8")
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, place], check=True, stdout=subprocess.DEVNULL)
        [path] = place.glob("*.deb")
        return path

    def install(self, *more: Path) -> None:
        self.system.apt("install", *self.system.bring(self.deb("keyhold"), self.deb("keyhold-tools"), *more)).ok()

    # --- what is to be ---------------------------------------------------------------------

    def assertOurs(self) -> None:
        self.assertEqual(self.system.sha256(self.driver), self.module())
        self.assertEqual(self.system.sha256(self.driver + ".distrib"), self.stock)

    def assertStock(self) -> None:
        self.assertEqual(self.system.sha256(self.driver), self.stock)
        self.assertFalse((self.system.root / (self.driver + ".distrib").lstrip("/")).exists())
        self.assertEqual(self.system.run("dpkg-divert", "--list", self.driver).ok(), "")

    def module(self) -> str:
        """The sha256 of ours."""
        with tempfile.TemporaryDirectory(prefix="keyhold-deb-") as place:
            subprocess.run(["dpkg-deb", "--extract", self.deb("keyhold"), place], check=True)
            done = subprocess.run(["sha256sum", place + self.driver], check=True, capture_output=True, text=True)
        return done.stdout.split()[0]

    def with_daemon(self, script: str) -> str:
        return self.system.run("sh", "-ec", WITH_DAEMON + script).ok()

    def define(self) -> None:
        (self.system.root / "tmp/secret.xml").write_text(XML, encoding="utf-8")
        self.with_daemon(f"virsh -q -c secret:///system secret-define /tmp/secret.xml; "
                         f"virsh -q -c secret:///system secret-set-value {UUID} {VALUE} 2>/dev/null")

    def assertServed(self) -> None:
        self.assertEqual(self.with_daemon(f"virsh -q -c secret:///system secret-get-value {UUID}"), VALUE)

    def driver_at_work(self) -> str:
        return self.with_daemon(DRIVER_AT_WORK)

    def refused(self, result: Result) -> str:
        self.assertNotEqual(result.code, 0, result.output)
        return result.output

    # --- a repository for apt --------------------------------------------------------------

    def repository(self, packages_of: Mapping[str, Path]) -> Path:
        """In the system, for suites and the packages of each, signed with a key made for it."""
        place = Path(tempfile.mkdtemp(prefix="keyhold-gnupg-"))
        # Its agent, which is told to end, removes its sockets at the same time.
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        environment = {**os.environ, "GNUPGHOME": str(place)}

        def gpg(*arguments: str) -> str:
            return subprocess.run(["gpg", "--batch", "--quiet", *arguments], check=True, env=environment, text=True,
                                  stdout=subprocess.PIPE).stdout

        gpg("--passphrase", "", "--quick-generate-key", "Keyhold <test@example.org>", "default", "default", "1d")
        self.addCleanup(subprocess.run, ["gpgconf", "--kill", "all"], check=True, env=environment)
        [key, *_] = [line.split(":")[9] for line in gpg("--list-secret-keys", "--with-colons").splitlines()
                     if line.startswith("fpr:")]
        packages = place / "packages"
        packages.mkdir()
        for suite, debs in packages_of.items():
            (packages / suite).symlink_to(debs)
        directory = self.system.root / "srv/keyhold"
        for _ in range(2):  # the second time there is nothing to add
            subprocess.run([HERE.parents[1] / "scripts/repository", directory, key, packages], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
        return directory

    def use_repository(self, suite: str) -> None:
        sources = self.system.root / "etc/apt/sources.list.d"
        (sources / "keyhold.sources").write_text(
            "Types: deb deb-src\nURIs: file:/srv/keyhold\n"
            f"Suites: {suite}\nComponents: main\nSigned-By: /srv/keyhold/keyhold.asc\n", encoding="utf-8")
