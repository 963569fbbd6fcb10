#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs, upgrades and removes the packages in a Debian system, whatever fails on the way.

Run as root: run.py [--suite SUITE] DIR, where DIR holds the .debs."""

import argparse
import os
import shutil
import subprocess
import sys
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


class Packages(unittest.TestCase):
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
        return self.with_daemon("keyhold status --json | tr -d ' \\n' | grep -o '\"driver\":\"[a-z]*\"'")

    # --- the life of a package -------------------------------------------------------------

    def test_from_install_to_purge(self) -> None:
        self.define()
        before = self.system.files()
        self.install(self.deb("keyhold-secretd"), self.deb("keyhold-doc"))
        self.assertOurs()
        ours = ("keyhold", "keyhold-tools", "keyhold-secretd", "keyhold-doc")
        self.assertEqual(self.system.run("dpkg", "-V", *ours, "libvirt-daemon").ok(), "")
        self.assertEqual(self.system.sha256("/usr/lib/keyhold/secretd/libvirt_driver_secret.so"), self.module())
        enabled = self.system.run("systemctl", "is-enabled", "keyhold-secretd.socket")
        self.assertEqual(enabled.output.strip(), "disabled")
        self.assertEqual(self.driver_at_work(), '"driver":"keyhold"')
        self.assertServed()

        self.system.apt("install", "--reinstall", "libvirt-daemon").ok()
        self.assertOurs()
        self.install()
        self.assertOurs()
        self.system.run("dpkg", "-i", *self.system.bring(
            *(self.changed(name, "9.0-1") for name in ("keyhold-tools", "keyhold", "keyhold-secretd")))).ok()
        self.assertOurs()
        self.assertServed()

        self.system.apt("remove", "keyhold").ok()
        self.assertStock()
        self.assertServed()
        self.system.apt("purge", *ours).ok()
        self.assertEqual(self.system.files(), before)

    def test_a_driver_with_sealed_values_is_not_removed(self) -> None:
        self.define()
        self.install()
        self.system.run("sh", "-ec", "umask 077; keyhold key generate /etc/libvirt/key; "
                        "echo 'secrets_encryption_key = \"/etc/libvirt/key\"' >/etc/libvirt/secret.conf; keyhold seal").ok()
        refused = self.system.apt("remove", "keyhold")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("1 values in /etc/libvirt/secrets are sealed", refused.output)
        self.assertOurs()
        self.assertServed()
        self.system.run("sh", "-ec", "echo 'encrypt_data = 0' >>/etc/libvirt/secret.conf; keyhold unseal").ok()
        self.system.apt("remove", "keyhold").ok()
        self.assertStock()
        self.assertServed()

    def test_a_sealed_store_may_be_left_on_purpose(self) -> None:
        self.install()
        (self.system.root / "etc/libvirt/secrets").mkdir(mode=0o700)
        (self.system.root / f"etc/libvirt/secrets/{UUID}.jwe").write_text("sealed", encoding="utf-8")
        self.system.apt("remove", "keyhold", env={"KEYHOLD_REMOVE_SEALED": "1"}).ok()
        self.assertStock()

    def test_a_diversion_by_hand_is_taken_over(self) -> None:
        for target in ("distrib", "stock"):
            with self.subTest(target):
                self.system.run("dpkg-divert", "--local", "--rename", "--divert", f"{self.driver}.{target}", "--add",
                                self.driver).ok()
                (self.system.root / self.driver.lstrip("/")).write_bytes(b"installed from source")
                self.install()
                self.assertOurs()
                self.system.apt("remove", "keyhold").ok()
                self.assertStock()

    def test_a_diversion_of_another_package_is_refused_by_its_name(self) -> None:
        self.system.run("dpkg-divert", "--package", "other", "--rename", "--add", self.driver).ok()
        refused = self.system.run("dpkg", "-i", *self.system.bring(self.deb("keyhold-tools"), self.deb("keyhold")))
        self.assertNotEqual(refused.code, 0)
        self.assertIn("is diverted by the package other; remove that package first", refused.output)

    # --- a repository for apt --------------------------------------------------------------

    def repository(self) -> Path:
        """Signed with a key made for it, and named in the sources of the system, with no other beside it."""
        place = Path(tempfile.mkdtemp(prefix="keyhold-gnupg-"))
        self.addCleanup(shutil.rmtree, place)
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
        (packages / self.suite).symlink_to(self.debs)
        directory = self.system.root / "srv/keyhold"
        for _ in range(2):  # the second time there is nothing to add
            subprocess.run([HERE.parents[1] / "scripts/repository", directory, key, packages], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
        sources = self.system.root / "etc/apt/sources.list.d"
        (sources / "keyhold.sources").write_text(
            "Types: deb deb-src\nURIs: file:/srv/keyhold\n"
            f"Suites: {self.suite}\nComponents: main\nSigned-By: /srv/keyhold/keyhold.asc\n", encoding="utf-8")
        return directory

    def update(self) -> Result:
        return self.system.apt("-o", "APT::Update::Error-Mode=any", "-o", "Dir::Etc::sourcelist=/dev/null", "update")

    def test_a_repository_is_what_its_key_has_signed(self) -> None:
        directory = self.repository()
        self.update().ok()
        self.system.apt("-o", "Dir::Etc::sourcelist=/dev/null", "install", "--download-only", "keyhold-doc").ok()
        self.assertIn("/srv/keyhold", self.system.run("apt-cache", "policy", "keyhold").ok())
        self.system.apt("install", "keyhold").ok()
        self.assertOurs()

        release = directory / f"dists/{self.suite}/InRelease"
        signed = release.read_bytes()
        release.write_bytes(signed.replace(b"Label: Keyhold", b"Label: keyhold"))
        self.assertIn("BADSIG", self.refused(self.update()))
        release.write_bytes(signed)
        self.update().ok()
        [deb] = directory.rglob("keyhold-secretd_*.deb")
        deb.write_bytes(deb.read_bytes()[:-1] + b"?")
        self.assertIn("Hash Sum mismatch", self.refused(self.system.apt("install", "keyhold-secretd")))

    def refused(self, result: Result) -> str:
        self.assertNotEqual(result.code, 0, result.output)
        return result.output

    # --- what fails on the way -------------------------------------------------------------

    def test_a_first_installation_that_fails_leaves_libvirts_driver(self) -> None:
        self.system.run("dpkg", "-i", *self.system.bring(self.deb("keyhold-tools"))).ok()
        for script, beginning in (("preinst", "exit 1"), ("preinst", "trap 'exit 1' EXIT"),
                                  ("preinst", 'ln() { command ln "$@"; exit 1; }')):
            with self.subTest(beginning):
                package = self.changed("keyhold", scripts={script: beginning})
                self.assertNotEqual(self.system.run("dpkg", "-i", *self.system.bring(package)).code, 0)
                self.assertStock()

    def test_a_configuration_that_fails_can_be_removed(self) -> None:
        self.system.run("dpkg", "-i", *self.system.bring(self.deb("keyhold-tools"))).ok()
        package = self.changed("keyhold", scripts={"postinst": "exit 1"})
        self.assertNotEqual(self.system.run("dpkg", "-i", *self.system.bring(package)).code, 0)
        self.assertOurs()
        self.system.run("dpkg", "--remove", "keyhold").ok()
        self.assertStock()

    def test_an_upgrade_that_fails_leaves_the_driver_of_before(self) -> None:
        self.install()
        tools = self.changed("keyhold-tools", "9.0-1")
        for scripts in ({"preinst": "exit 1"}, {"preinst": "trap 'exit 1' EXIT"}):
            with self.subTest(scripts["preinst"]):
                package = self.changed("keyhold", "9.0-1", scripts)
                self.assertNotEqual(self.system.run("dpkg", "-i", *self.system.bring(tools, package)).code, 0)
                self.assertOurs()
        self.system.run("dpkg", "-i", *self.system.bring(tools, self.changed("keyhold", "9.0-1"))).ok()
        self.assertOurs()
        self.system.run("dpkg", "--remove", "keyhold").ok()
        self.assertStock()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("debs", type=Path, metavar="DIR")
    options, rest = parser.parse_known_args()
    Packages.suite = options.suite
    Packages.debs = options.debs.resolve()
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", options.suite], check=True, stdout=subprocess.PIPE,
                          text=True)
    Packages.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
