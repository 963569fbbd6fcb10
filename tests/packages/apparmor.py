#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs, upgrades and removes the packages in a virtual machine, where AppArmor confines libvirtd and its guests.

Run as root: apparmor.py DIR, where DIR holds the .debs. It is of Debian 12."""

import subprocess
import sys
import unittest
from pathlib import Path

from case import HERE, UUID, VALUE, XML, PackageCase
from machine import Machine

sys.path.append(str(HERE.parent))

from harness.qemu import domain_with_disk  # noqa: E402
from harness.secret_files import Secret  # noqa: E402

VIRSH = "virsh -q -c qemu:///system"
DISK = Path("/var/lib/libvirt/images/guest.luks")
# Of the kernel alone: the agent logs what it is asked to run.
DENIALS = "journalctl --no-pager --quiet _TRANSPORT=audit + _TRANSPORT=kernel | grep 'apparmor=\"DENIED\"' || true"


class AppArmor(PackageCase):
    suite = "bookworm"
    PACKAGES = ("keyhold-tools", "keyhold")

    def setUp(self) -> None:
        super().setUp()
        for directory, version in (("now", ""), ("next", "9.0-1")):
            place = self.system.root / "root" / directory
            place.mkdir()
            for package in self.PACKAGES:
                deb = self.changed(package, version)
                (place / deb.name).write_bytes(deb.read_bytes())
        for path, content in (("secret.xml", XML), ("guest.xml", domain_with_disk(DISK, Secret(UUID)))):
            (self.system.root / "root" / path).write_text(content, encoding="utf-8")
        (self.system.root / "usr/sbin/policy-rc.d").unlink()  # services do start there
        (self.system.root / "etc/default/libvirtd").write_text('LIBVIRTD_ARGS=""\n')  # and do not end when idle
        self.machine = Machine(self.system.root)
        self.addCleanup(self.machine.close)

    # --- what is to be ---------------------------------------------------------------------

    def run_in_it(self, script: str) -> str:
        return self.machine.run(script).ok()

    def daemon(self) -> str:
        """The pid of the daemon that is up, whose drivers are."""
        return self.run_in_it(f"{VIRSH} uri >/dev/null; systemctl show --property=MainPID --value libvirtd.service")

    def assertRestartedBy(self, script: str) -> None:
        before = self.daemon()
        # Restarts that an operator makes are hours apart, and systemd counts those of ten seconds.
        self.run_in_it(f"systemctl reset-failed libvirtd.service; {script}")
        self.assertNotEqual(self.daemon(), before, script)

    def assertServes(self, driver: str) -> None:
        self.assertEqual(self.run_in_it(f"{VIRSH} secret-get-value {UUID}"), VALUE)
        loaded = self.run_in_it(f"sha256sum {self.driver}").split()[0]
        self.assertEqual(loaded, self.module() if driver == "keyhold" else self.stock)
        told = self.run_in_it("grep -o '/[^ ]*libvirt_driver_secret.so.*' /proc/$(pidof libvirtd)/maps | sort -u")
        self.assertEqual(told, self.driver)  # neither deleted nor diverted since

    def assertConfined(self, program: str, profile: str) -> None:
        self.assertRegex(self.run_in_it(f"cat /proc/$(pidof {program})/attr/current"), f"^{profile} \\(enforce\\)$")

    def test_from_install_to_removal(self) -> None:
        self.run_in_it(f"{VIRSH} secret-define /root/secret.xml; {VIRSH} secret-set-value {UUID} {VALUE} 2>/dev/null")
        self.assertConfined("libvirtd", "libvirtd")
        self.assertServes("stock")

        self.assertRestartedBy("dpkg -i /root/now/*.deb")
        self.assertServes("keyhold")
        self.run_in_it("keyhold encrypt on")
        self.assertServes("keyhold")
        self.run_in_it(f"ls /etc/libvirt/secrets/{UUID}.jwe; keyhold check; keyhold verify")
        self.start_guest()

        # in the middle of an upgrade: there is a new module, and nothing is configured
        before = self.daemon()
        self.run_in_it("systemctl stop libvirtd.service; dpkg --unpack /root/next/*.deb")
        self.assertIn(UUID, self.run_in_it(f"{VIRSH} secret-list"))
        self.assertNotEqual(self.daemon(), before)
        self.assertServes("keyhold")
        self.assertRestartedBy("dpkg --configure --pending")
        self.assertServes("keyhold")

        before = self.daemon()
        refused = self.machine.run("dpkg --remove keyhold")
        self.assertIn("1 values in /etc/libvirt/secrets are sealed", self.refused(refused))
        self.assertEqual(self.daemon(), before)
        self.assertServes("keyhold")
        self.run_in_it("keyhold encrypt off")
        self.assertRestartedBy("dpkg --remove keyhold")
        self.assertServes("stock")

        self.assertEqual(self.run_in_it(f"{VIRSH} domstate guest"), "running")  # all the time
        self.assertConfined("qemu-system-x86_64", "libvirt-[0-9a-f-]*")
        self.assertEqual(self.run_in_it(DENIALS), "")
        # A denial would have been seen.
        self.refused(self.machine.run("aa-exec --profile=virt-aa-helper -- touch /root/denied"))
        self.assertIn('profile="virt-aa-helper"', self.run_in_it(DENIALS))

    def start_guest(self) -> None:
        """With a disk that is encrypted under the value."""
        self.run_in_it(f"""
            umask 077
            {VIRSH} secret-get-value --plain {UUID} >/run/passphrase
            # Where processor time is counted in ticks, its own measurement fails now and then.
            until told=$(qemu-img create -q -f luks --object secret,id=key,file=/run/passphrase \\
                -o key-secret=key,iter-time=10 {DISK} 1M 2>&1); do
                [[ $told = *"accurate CPU usage"* ]] || {{ echo "$told"; exit 1; }}
            done
            rm /run/passphrase
            {VIRSH} define /root/guest.xml
            {VIRSH} start guest""")
        self.assertEqual(self.run_in_it(f"{VIRSH} domstate guest"), "running")
        self.assertConfined("qemu-system-x86_64", "libvirt-[0-9a-f-]*")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PackageCase.debs = Path(sys.argv[1]).resolve()
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", "--machine", AppArmor.suite], check=True,
                          stdout=subprocess.PIPE, text=True)
    PackageCase.base = Path(made.stdout.strip())
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)


if __name__ == "__main__":
    main()
