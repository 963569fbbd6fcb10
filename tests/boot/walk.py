# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the walks have in common: a system for each test, and a page that is walked in it."""

import base64
import shlex
import sys
import unittest
import uuid
from pathlib import Path

from booted import Booted, connect
from pages import blocks
from shell import Shell

SOURCE = Path(__file__).resolve().parents[2]


class WalkCase(unittest.TestCase):
    suite: str
    debs: Path
    base: Path
    name = "hypervisor"  # of the host
    patience = 240  # seconds for a block, of which none hangs

    def setUp(self) -> None:
        self.host = self.boot(self.name)
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

    def bring_packages(self) -> None:
        """To where scripts/package leaves them in the directory of the source."""
        release = self.host.run(". /etc/os-release; echo $VERSION_CODENAME").ok()
        self.host.bring(list(self.debs.iterdir()), f"/root/keyhold/packages/{release}")

    def add_host(self, name: str) -> Booted:
        """Another system, to which root of the first one may go by ssh."""
        number = len(self.systems)
        system = self.systems[name] = self.boot(name)
        here, there = connect(self.host, system, number)
        self.host.run(f"echo {there} {name} >>/etc/hosts").ok()
        system.run(f"echo {here} {self.name} >>/etc/hosts").ok()
        key = self.host.run("mkdir -p -m 0700 ~/.ssh; test -e ~/.ssh/id_ed25519 || "
                            "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519.pub").ok()
        system.run(f"mkdir -p -m 0700 ~/.ssh; echo {shlex.quote(key)} >~/.ssh/authorized_keys").ok()
        self.host.run(f"ssh-keyscan -t ed25519 {name} >>~/.ssh/known_hosts 2>/dev/null").ok()
        return system

    def stop_daemon(self) -> None:
        """As when it went idle: its sockets start it again. A libvirtd that still starts may miss a SIGTERM."""
        self.host.run("virsh -c secret:///system uri; systemctl stop libvirtd.service").ok()

    # --- secrets ---------------------------------------------------------------------------

    def define(self, usage: str = "") -> str:
        """A new secret without a value; answers with its uuid."""
        secret = str(uuid.uuid4())
        self.host.write("/run/walk-secret.xml", f"<secret ephemeral='no' private='no'><uuid>{secret}</uuid>"
                                                f"<usage type='ceph'><name>{usage or secret}</name></usage></secret>")
        self.host.run("virsh -q -c secret:///system secret-define /run/walk-secret.xml").ok()
        return secret

    def define_with_value(self, value: str, usage: str = "") -> str:
        secret = self.define(usage)
        self.host.write("/run/walk-value", value, 0o600)
        self.host.run(f"virsh -q -c secret:///system secret-set-value {secret} --file /run/walk-value --plain").ok()
        return secret

    def set_plain_file(self, secret: str, value: str) -> None:
        self.host.write(f"/etc/libvirt/secrets/{secret}.base64", base64.b64encode(value.encode()), 0o600)

    def value(self, secret: str, on: Booted | None = None) -> str:
        return (on or self.host).run(f"virsh -q -c secret:///system secret-get-value {secret} --plain").ok()

    # --- what is to be ---------------------------------------------------------------------

    def driver(self) -> Path:
        [path] = self.host.root("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_secret.so")
        return path

    def assertOurs(self) -> None:
        self.assertIn(b"Keyhold", self.driver().read_bytes())
        self.assertNotEqual(self.host.run("dpkg-divert --list '*libvirt_driver_secret.so'").ok(), "")

    def assertStock(self) -> None:
        """libvirt's own driver, as its package has it, and it serves."""
        self.assertEqual(self.host.run("dpkg-divert --list '*libvirt_driver_secret.so'").ok(), "")
        package = self.host.run("dpkg --search '*/libvirt_driver_secret.so'").ok().split(":")[0]
        self.assertEqual(self.host.run(f"dpkg --verify {package}").ok(), "")
        self.assertNotIn(b"Keyhold", self.driver().read_bytes())
        self.host.run("virsh -c secret:///system secret-list; virsh -c qemu:///system secret-list").ok()

    def assertNothingLeft(self) -> None:
        """Neither the command, nor its man page, nor its completion."""
        self.assertEqual(self.host.run("find /usr -name 'keyhold*'").ok(), "")

    # --- the page --------------------------------------------------------------------------

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
            shells[marks.system].run(block, self.patience)
            # A reader takes longer than the walk: a daemon that was started is up before the next block (libvirt 11.3
            # takes half a minute to end before that), and the limit of starts in ten seconds is counted for each alone.
            system = self.systems[marks.system]
            system.run("if systemctl --quiet is-active libvirtd; then virsh -c secret:///system uri; fi")
            failed = system.run("systemctl --failed --no-legend --plain; systemctl reset-failed")
            self.assertEqual(failed.ok(), "", f"{block.place}: units that failed")
