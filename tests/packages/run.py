#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs, upgrades and removes the packages in a Debian system, whatever fails on the way.

Run as root: run.py [--suite SUITE] DIR, where DIR holds the .debs."""

import argparse
import subprocess
import sys
import unittest
from pathlib import Path

from case import HERE, UUID, PackageCase
from policy import Policy  # noqa: F401, a case of this program
from system import Result


class Packages(PackageCase):
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

    def test_a_security_update_of_libvirt_stays_beneath(self) -> None:
        self.define()
        self.install()
        owners = self.system.run("dpkg-query", "--search", self.driver).ok().splitlines()[-1].split(":")[0]
        [owner] = set(owners.split(", ")) - {"keyhold"}
        update = f"""
            cd /srv
            apt-get -o APT::Sandbox::User=root download -qq {owner}
            dpkg-deb --raw-extract {owner}_*.deb tree
            sed -i 's/^Version: .*/&+security/' tree/DEBIAN/control
            sed -i '/libvirt_driver_secret.so/d' tree/DEBIAN/md5sums
            printf x >>tree{self.driver}
            dpkg-deb --root-owner-group --build tree update.deb
            dpkg --install --force-depends update.deb"""  # others ask for the version of before
        self.system.run("sh", "-ec", update, has_network=True).ok()
        updated = self.system.sha256(f"/srv/tree{self.driver}")
        self.assertEqual(self.system.sha256(self.driver), self.module())
        self.assertEqual(self.system.sha256(self.driver + ".distrib"), updated)
        self.assertServed()
        self.system.run("dpkg", "--remove", "--force-depends", "keyhold").ok()
        self.assertEqual(self.system.sha256(self.driver), updated)
        self.assertServed()

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

    def test_a_trail_goes_with_the_purge_and_the_keys_of_secrets_stay(self) -> None:
        self.define()
        self.install()
        self.assertIn("/etc/logrotate.d/keyhold ", self.system.run(
            "dpkg-query", "-W", "-f", "${Conffiles}", "keyhold").ok())
        self.system.run("sh", "-ec", "echo 'audit = 1' >/etc/libvirt/secret.conf; keyhold audit init; umask 077; "
                        "head -c 32 /dev/urandom >/var/lib/keyhold/secrets-1.key").ok()
        self.assertServed()
        self.assertIn("secret-value-read", self.system.run("keyhold", "audit", "who", UUID).ok())
        left = "find /etc/logrotate.d/keyhold /var/log/keyhold /var/lib/keyhold -type f 2>/dev/null | sort"
        key, trail = "/var/lib/keyhold/secrets-1.key", "/var/log/keyhold/audit.jsonl"
        self.system.apt("remove", "keyhold").ok()
        self.assertEqual(self.system.run("sh", "-c", left).output.split(),
                         ["/etc/logrotate.d/keyhold", "/var/lib/keyhold/audit-key", key, trail])
        self.system.apt("purge", "keyhold").ok()
        self.assertEqual(self.system.run("sh", "-c", left).output.split(), [key])
        self.assertFalse((self.system.root / "var/log/keyhold").exists())

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

    def update(self) -> Result:
        """Of the lists of our repository alone."""
        return self.system.apt("-o", "APT::Update::Error-Mode=any", "-o", "Dir::Etc::sourcelist=/dev/null", "update")

    def test_a_repository_is_what_its_key_has_signed(self) -> None:
        directory = self.repository({self.suite: self.debs})
        self.use_repository(self.suite)
        self.update().ok()
        self.system.apt("install", "keyhold").ok()
        self.assertOurs()

        release = directory / f"dists/{self.suite}/InRelease"
        signed = release.read_bytes()
        release.write_bytes(signed.replace(b"Label: Keyhold", b"Label: keyhold"))
        self.assertRegex(self.refused(self.update()), "BADSIG|has been manipulated")
        release.write_bytes(signed)
        self.update().ok()
        [deb] = directory.rglob("keyhold-secretd_*.deb")
        deb.write_bytes(deb.read_bytes()[:-1] + b"?")
        self.assertIn("Hash Sum mismatch", self.refused(self.system.apt("install", "keyhold-secretd")))

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
    PackageCase.suite = options.suite
    PackageCase.debs = options.debs.resolve()
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", options.suite], check=True, stdout=subprocess.PIPE,
                          text=True)
    PackageCase.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
