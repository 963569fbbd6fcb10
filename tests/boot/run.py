#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks the pages for operators, word for word, in Debian systems with systemd as PID 1.

Run as root: run.py [--suite SUITE] DIR, where DIR holds the .debs that scripts/package made for SUITE.
README.md beside this file says how."""

import argparse
import base64
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from audit import Audit  # noqa: F401, a case of this program
from booted import Booted
from pages import PageError
from shell import BlockFailed
from walk import WalkCase

HERE = Path(__file__).resolve().parent


class System(WalkCase):
    def test_it_boots_and_libvirtd_serves_by_its_socket_with_our_driver(self) -> None:
        self.stop_daemon()
        self.install("keyhold", "keyhold-tools")
        self.assertEqual(self.host.run("systemctl is-active libvirtd.service").output.strip(), "inactive")
        self.host.run("virsh -c qemu:///system secret-list").ok()
        self.assertEqual(self.host.run("systemctl is-active libvirtd.service").output.strip(), "active")
        self.assertIn('"driver":"keyhold"', self.host.run("keyhold status --json | tr -d ' \\n'").ok())


class Walker(WalkCase):
    """The test of the test: what is wrong with a page is found, and told by its line."""

    def page(self, text: str) -> str:
        place = tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8")
        self.addCleanup(place.close)
        place.write(text)
        place.flush()
        return place.name

    def test_a_command_that_fails_is_told_by_its_line(self) -> None:
        page = self.page("# A page\n\n```sh\ntrue\nfalse\ntrue\n```\n")
        with self.assertRaisesRegex(BlockFailed, r"\.md:5: exit 1: false"):
            self.walk(page)

    def test_a_block_that_was_to_fail_and_did_not_is_found(self) -> None:
        with self.assertRaisesRegex(BlockFailed, r"\.md:3: ended with 0"):
            self.walk(self.page("<!-- walk: exit 1 -->\n```sh\ntrue\n```\n"))

    def test_a_text_that_is_not_printed_is_found(self) -> None:
        with self.assertRaisesRegex(BlockFailed, "'other' is not in"):
            self.walk(self.page("<!-- walk: prints other -->\n```sh\necho one\n```\n"))

    def test_what_a_block_sets_is_there_in_the_next_one(self) -> None:
        self.walk(self.page("```sh\nname=value\n```\n\n<!-- walk: prints value -->\n```sh\necho $name\n```\n"))

    def test_nothing_is_left_out_without_a_word(self) -> None:
        for text in ("Text\n\n    rm file\n", "```\nrm file\n```\n", "<!-- walk: not run -->\n```sh\ntrue\n```\n",
                     "<!-- walk: prints x -->\n\nText\n", "<!-- walk: prints x -->\n```ini\n[Unit]\n```\n",
                     "```sh\ntrue\n"):
            with self.subTest(text), self.assertRaises(PageError):
                self.walk(self.page(text))
        with self.assertRaises(PageError):
            self.walk(self.page("# One\n"), "Two")


class Readme(WalkCase):
    def setUp(self) -> None:
        super().setUp()
        self.bring_packages()

    def note_packages(self) -> None:
        self.assertOurs()

    def test_for_good_and_back(self) -> None:
        self.walk("README.md", "For good")
        self.assertStock()
        self.assertNothingLeft()


class FromSource(WalkCase):
    """Apart, because it builds for minutes, in a system that has what a build needs."""

    patience = 3600

    def test_from_source_and_back(self) -> None:
        listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=HERE.parents[1], check=True,
                                stdout=subprocess.PIPE, text=True)
        for name in listed.stdout.splitlines():
            place = self.host.root(f"/root/keyhold/{name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE.parents[1] / name, place)
        before = self.host.run("find /usr /etc -xdev | sort").ok()
        self.walk("README.md", "From source")
        self.assertStock()
        self.assertEqual(self.host.run("find /usr /etc -xdev | sort").ok(), before)


class Encryption(WalkCase):
    then = ""  # what comes between these values and the first command of the page

    def setUp(self) -> None:
        super().setUp()
        self.install("keyhold", "keyhold-tools")

    def second_host(self) -> None:
        self.add_host("vault.example.com")

    def plain_values(self) -> None:
        """As somebody has them who switches encryption on today."""
        self.values = {self.define(): f"value {number}" for number in range(3)}
        self.stop_daemon()
        for secret, value in self.values.items():
            self.set_plain_file(secret, value)
        if self.then:
            self.host.run(self.then).ok()

    def assertValues(self, ending: str) -> None:
        for secret, value in self.values.items():
            self.assertEqual(self.value(secret), value)
            self.assertTrue(self.host.root(f"/etc/libvirt/secrets/{secret}{ending}").exists())

    def test_the_page(self) -> None:
        """From switching it on, while the daemon is idle, to the way back."""
        self.stop_daemon()
        self.walk("docs/encryption.md")
        self.assertStock()
        self.assertNothingLeft()
        self.assertValues(".base64")

    def test_it_is_switched_on_while_the_daemon_is_up(self) -> None:
        self.then = "systemctl start libvirtd.service && virsh -c secret:///system uri"
        self.walk("docs/encryption.md", "Switch it on")
        self.assertValues(".jwe")
        key = self.host.root("/var/lib/keyhold/secrets-1.key").stat()
        self.assertEqual(oct(key.st_mode & 0o7777), "0o600")
        copy = self.systems["vault.example.com"].root("/root/secrets-1.key").stat()
        self.assertEqual(oct(copy.st_mode & 0o7777), "0o600")
        self.assertEqual(copy.st_size, 32)

    def test_it_is_switched_on_right_after_a_start(self) -> None:
        """A reload that comes before the drivers are up is ignored by libvirtd."""
        self.then = "systemctl start --no-block libvirtd.service"
        self.walk("docs/encryption.md", "Switch it on")
        self.assertValues(".jwe")


class SecretsDaemon(WalkCase):
    OTHERS = ("virtsecretd.socket", "virtsecretd-ro.socket", "virtsecretd-admin.socket")
    OURS = ("keyhold-secretd.socket", "keyhold-secretd-ro.socket", "keyhold-secretd-admin.socket")

    def setUp(self) -> None:
        super().setUp()
        self.install("keyhold", "keyhold-tools")

    def test_the_page(self) -> None:
        secret = self.define_with_value("a value")
        self.walk("docs/secrets-daemon.md")
        self.assertEqual(self.value(secret), "a value")
        self.assertIn(secret, self.host.run("virsh secret-list").ok())  # without a URI: by libvirtd

    def virtsecretd(self) -> None:
        """libvirt's units, as far as they meet ours; Debian ships them with no release that we build for."""
        for name, path in zip(self.OTHERS, ("sock", "sock-ro", "admin-sock")):
            bound = "" if name == self.OTHERS[0] else f"BindsTo={self.OTHERS[0]}\nAfter={self.OTHERS[0]}\n"
            self.host.write(f"/etc/systemd/system/{name}",
                            f"[Unit]\nBefore=virtsecretd.service\n{bound}[Socket]\n"
                            f"ListenStream=/run/libvirt/virtsecretd-{path}\nService=virtsecretd.service\n"
                            "RemoveOnStop=yes\n")
        self.host.write("/etc/systemd/system/virtsecretd.service", "[Service]\nExecStart=/bin/sleep infinity\n")
        self.host.run("systemctl daemon-reload").ok()

    def active(self, *units: str) -> list[str]:
        return self.host.run(f"systemctl is-active {' '.join(units)} || true").output.split()

    def paths(self) -> list[str]:
        return self.host.run("cd /run/libvirt; ls -d virtsecretd-*sock*").ok().split()

    def test_it_writes_an_audit_trail(self) -> None:
        """In a file system that is read-only for it but for the directories that its unit names."""
        secret = self.define_with_value("a value")
        self.install("keyhold-secretd")
        self.host.write("/etc/libvirt/secret.conf", "audit = 1\n")
        self.host.run("keyhold audit init; systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket "
                      "libvirtd-admin.socket; systemctl start keyhold-secretd.socket").ok()
        self.assertEqual(self.value(secret), "a value")
        self.assertIn("secret-value-read", self.host.run(f"keyhold audit who {secret}").ok())
        self.host.run("systemctl stop keyhold-secretd.service").ok()
        self.assertNotIn("not kept", self.host.journal("keyhold-secretd"))
        directories = self.host.run("stat -c '%a %U' /var/log/keyhold /var/lib/keyhold").ok().splitlines()
        self.assertEqual(directories, ["700 root"] * 2)

    def test_its_sockets_and_virtsecretds_are_never_up_together(self) -> None:
        self.install("keyhold-secretd")
        self.virtsecretd()
        every_path = ["virtsecretd-admin-sock", "virtsecretd-sock", "virtsecretd-sock-ro"]
        for starting, stopping in ((self.OTHERS, self.OURS), (self.OURS, self.OTHERS), (self.OTHERS, self.OURS)):
            with self.subTest(starting=starting):
                self.host.run(f"systemctl start {' '.join(starting)}").ok()
                self.assertEqual(self.active(*starting), ["active"] * 3)
                self.assertEqual(self.active(*stopping), ["inactive"] * 3)
                self.assertEqual(self.paths(), every_path)


class Connections(WalkCase):
    name = "example.com"

    def setUp(self) -> None:
        super().setUp()
        self.install("keyhold", "keyhold-tools")
        self.client = self.add_host("client.example.com")

    def certificates_are_valid(self) -> None:
        """The validator has no complaint but the one that the page names."""
        for system, side in ((self.host, "server"), (self.client, "client")):
            told = system.run(f"virt-pki-validate {'' if self.suite == 'bookworm' else side}").output
            self.assertIn(f"{side}cert.pem" if self.suite == "bookworm" else "Checking cert properties", told)
            complaints = [line for line in told.splitlines() if not line.endswith(": PASS")
                          and re.search(r"FAIL|as root|should|need|match|Missing", line)]
            if side == "client":
                complaints = [line for line in complaints if "key need to be read" not in line
                              and not re.search("chmod 0?644 /etc/pki/libvirt/private/clientkey.pem", line)]
            self.assertEqual(complaints, [])
        for system, key in ((self.host, "serverkey.pem"), (self.client, "clientkey.pem")):
            self.assertEqual(system.root(f"/etc/pki/libvirt/private/{key}").stat().st_mode & 0o7777, 0o600, key)

    def lose_the_password(self) -> None:
        for path in ("/etc/libvirt/auth.conf", "/etc/libvirt/passwd.db"):
            self.assertEqual(self.host.root(path).stat().st_mode & 0o7777, 0o600, path)
        self.host.root("/etc/libvirt/auth.conf").unlink()
        refused = self.host.run("virsh -c secret:///system secret-list")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("authentication failed", refused.output)

    def client_comes_by_ssh(self) -> None:
        key = self.client.run("ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519.pub").ok()
        self.host.write("/root/.ssh/authorized_keys", key + "\n", 0o600)
        self.client.run("ssh-keyscan -t ed25519 example.com >~/.ssh/known_hosts 2>/dev/null").ok()

    def user_one(self) -> None:
        self.host.run("useradd --create-home one").ok()
        self.secret = self.define_with_value("a value", "client.one")
        self.other = self.define_with_value("another", "client.other")

    def one_has_one_secret(self) -> None:
        ask = "runuser -u one -- virsh -q -c secret:///system secret-get-value --plain"
        self.assertEqual(self.host.run(f"{ask} {self.secret}").ok(), "a value")
        self.assertIn("access denied: 'secret' denied access", self.host.run(f"{ask} {self.other}").output)
        self.host.run("sed -i '/^access_drivers/d' /etc/libvirt/libvirtd.conf; systemctl restart libvirtd; "
                      "virsh -c secret:///system uri").ok()

    def read_it(self) -> None:
        self.value(self.secret)
        self.host.run("journalctl --sync").ok()

    def test_the_page(self) -> None:
        self.walk("docs/connections.md")


class Operations(WalkCase):
    VAULT, SECOND, IMAGE = "vault.example.com", "hypervisor-2.example.com", "image.example.com"

    def setUp(self) -> None:
        super().setUp()
        self.bring_packages()
        self.add_host(self.VAULT)

    def values_of_before(self) -> None:
        """What libvirt's own driver has stored before there is a Keyhold."""
        self.assertStock()
        self.values = {self.define_with_value(f"value {number}"): f"value {number}" for number in range(4)}

    def assertValues(self, on: Booted | None = None) -> None:
        for secret, value in self.values.items():
            self.assertEqual(self.value(secret, on), value)

    def read_a_value(self) -> None:
        self.host.wait_for("test -e /var/log/keyhold/audit.jsonl")
        self.assertValues()

    def back_up_to_vault(self) -> None:
        for name in ("hypervisor-secrets.tar", "hypervisor-secret.conf"):
            copy = self.systems[self.VAULT].root(f"/root/{name}").stat()
            self.assertEqual(copy.st_mode & 0o077, 0, name)

    def lose_store_and_key(self) -> None:
        self.assertValues()
        self.host.run("rm -r /etc/libvirt/secrets /etc/libvirt/secret.conf /var/lib/keyhold").ok()

    def second_hypervisor(self) -> None:
        self.assertValues()
        self.install("keyhold", "keyhold-tools", on=self.add_host(self.SECOND))
        self.systems[self.IMAGE] = self.boot(self.IMAGE)
        self.install("keyhold", "keyhold-tools", on=self.systems[self.IMAGE])

    def run_kolla_twice(self) -> None:
        """As its tasks for a libvirt on the host: what is not as it is to be is written, and libvirtd reloads."""
        self.assertValues(self.systems[self.SECOND])
        secret, changes = "6a3b4c5d-0f1e-4d2c-8b3a-9c8d7e6f5a4b", []
        wanted = {".xml": f"<secret ephemeral='no' private='no'><uuid>{secret}</uuid></secret>".encode(),
                  ".base64": base64.b64encode(b"of kolla")}
        for _ in range(2):
            for ending, content in wanted.items():
                file = self.host.root(f"/etc/libvirt/secrets/{secret}{ending}")
                if not file.exists() or file.read_bytes() != content:
                    self.host.write(f"/etc/libvirt/secrets/{secret}{ending}", content, 0o600)
                    changes.append(ending)
            self.host.run("virsh -c secret:///system uri; systemctl reload libvirtd").ok()
            self.host.wait_for(f"virsh -c secret:///system secret-get-value {secret}")
        self.assertEqual(changes, [".xml", ".base64"])
        self.values[secret] = "of kolla"

    def ensure_secret(self) -> None:
        """Changed once, and once more with another value, and not in between."""
        secret = "7b4c5d6e-1f2a-4e3d-9c4b-0d9e8f7a6b5c"
        self.host.write("/root/secret.xml",
                        f"<secret ephemeral='no' private='no'>\n  <uuid>{secret}</uuid>\n</secret>\n")
        ensured = [self.host.run(f"printf '{value}' | ensure-secret /root/secret.xml").ok()
                   for value in ("one", "one", "two", "two")]
        self.assertEqual(ensured, ["changed: defined\nchanged: value", "", "changed: value", ""])
        self.values[secret] = "two"

    def test_the_page(self) -> None:
        self.walk("docs/operations.md")
        self.assertStock()
        self.assertNothingLeft()
        self.assertValues()
        self.assertEqual(self.host.root("/etc/libvirt/secret.conf").read_text(encoding="utf-8"), "")

    def test_an_image_makes_its_key_at_the_first_start(self) -> None:
        image = self.systems[self.IMAGE] = self.boot(self.IMAGE)
        self.install("keyhold", "keyhold-tools", on=image)
        self.walk("docs/operations.md", "Golden image")
        image.run("systemctl start libvirtd.socket; virsh -c secret:///system secret-list").ok()
        self.assertEqual(image.root("/var/lib/keyhold/secrets-1.key").stat().st_mode & 0o7777, 0o600)
        self.assertIn("new values    sealed", image.run("keyhold status").ok())


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # and what was booted with it
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--from-source", action="store_true", help="the test that builds in the system, and no other")
    parser.add_argument("debs", type=Path, metavar="DIR")
    options, rest = parser.parse_known_args()
    WalkCase.suite = options.suite
    WalkCase.debs = options.debs.resolve()
    kind = "--source" if options.from_source else "--boot"
    made = subprocess.run([HERE.parents[1] / "scripts/make-chroot", kind, options.suite], check=True,
                          stdout=subprocess.PIPE, text=True)
    WalkCase.base = Path(made.stdout.strip())
    cases = [case.__name__ for case in WalkCase.__subclasses__() if (case is FromSource) == options.from_source]
    unittest.main(argv=[sys.argv[0], *(rest or cases)], verbosity=2)


if __name__ == "__main__":
    main()
