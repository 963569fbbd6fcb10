# SPDX-License-Identifier: LGPL-2.1-or-later
"""qemu:///embed and secret:///embed of one root, in one process."""

from dataclasses import replace
from pathlib import Path

from guests import domain
from guests.boot_disk import PASSPHRASE, write_luks
from guests.drivers import configure_embedded, driver_dir
from guests.embedded import EmbeddedProcess, Refused
from harness.case import SystemCase, stock_defect
from harness.secret_files import Secret


class EmbeddedCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.drivers = driver_dir(self.machine, "qemu")

    def process(self) -> EmbeddedProcess:
        process = EmbeddedProcess(self.machine, self.drivers)
        self.addCleanup(process.kill)
        return process

    def root(self, name: str) -> Path:
        root = self.machine.home / name
        configure_embedded(root)
        return root

    def refused(self, process: EmbeddedProcess, command: str, *arguments: str) -> str:
        with self.assertRaises(Refused) as raised:
            process.call(command, *arguments)
        return str(raised.exception)


class EmbeddedGuest(EmbeddedCase):
    def setUp(self) -> None:
        super().setUp()
        root = self.root("root")
        self.store = root / "etc/secrets"
        self.qemu, self.plain = (f"{scheme}:///embed?root={root}" for scheme in ("qemu", "secret"))
        self.inside = self.process()
        self.disk, self.console = root / "disk.luks", root / "console"
        write_luks(self.machine, self.disk)
        self.secret = Secret(type="volume", usage=str(self.disk))

    def xml(self, by: str = domain.BY_UUID) -> str:
        return domain.machine_xml(domain.disk(self.disk, domain.encryption(self.secret, by)),
                                  domain.console(self.console))

    def open_both(self) -> None:
        """The secret connection first: only then does libvirt give the QEMU one its secrets."""
        self.assertEqual([self.inside.call("open", uri) for uri in (self.plain, self.qemu)],
                         ["secret", "QEMU"])

    def test_both_connections_see_the_same_secrets(self) -> None:
        self.open_both()
        other = Secret(usage="other")
        self.inside.call("define", self.qemu, self.secret.xml, "through qemu")
        self.inside.call("define", self.plain, other.xml, "through secret")
        for uri in (self.qemu, self.plain):
            self.assertEqual(self.inside.call("uuids", uri), sorted([self.secret.uuid, other.uuid]))
            self.assertEqual(self.inside.call("read", uri, self.secret.uuid),
                             [self.secret.xml, "through qemu"])
            self.assertEqual(self.inside.call("read", uri, other.uuid), [other.xml, "through secret"])

    def test_a_qemu_connection_that_was_first_has_no_secrets(self) -> None:
        for uri in (self.qemu, self.plain):
            self.inside.call("open", uri)
        self.assertIn("not supported by the connection driver",
                      self.refused(self.inside, "define", self.qemu, self.secret.xml, "value"))
        self.inside.call("define", self.plain, self.secret.xml, PASSPHRASE.decode())
        # its guests do
        self.inside.call("become_libvirt")
        self.inside.call("start", self.qemu, self.xml())
        domain.wait_booted(self.console)
        self.inside.call("stop", self.qemu)

    def test_boots_from_a_luks_disk_as_libvirt_itself(self) -> None:
        self.open_both()
        self.inside.call("define", self.plain, self.secret.xml, PASSPHRASE.decode())
        self.inside.call("become_libvirt")
        for by in (domain.BY_UUID, domain.BY_USAGE):
            self.console.unlink(missing_ok=True)
            self.inside.call("start", self.qemu, self.xml(by))
            domain.wait_booted(self.console)
            self.inside.call("stop", self.qemu)
        self.assertEqual(self.inside.end(), 0)

    def test_without_an_identity_libvirt_has_nothing_to_elevate(self) -> None:
        self.open_both()
        self.inside.call("define", self.plain, self.secret.xml, PASSPHRASE.decode())
        self.assertIn("No current identity to elevate",
                      self.refused(self.inside, "start", self.qemu, self.xml()))

    @stock_defect("ended with -11 at define")
    def test_a_private_value_is_for_libvirts_own_identity(self) -> None:
        self.open_both()
        hidden = replace(self.secret, private=True, ephemeral=True)
        self.inside.call("define", self.qemu, hidden.xml, PASSPHRASE.decode())
        for uri in (self.qemu, self.plain):
            self.assertIn("No current identity", self.refused(self.inside, "read", uri, hidden.uuid))
        self.inside.call("become_libvirt")
        self.inside.call("start", self.qemu, self.xml())
        domain.wait_booted(self.console)
        self.inside.call("stop", self.qemu)
        for uri in (self.qemu, self.plain):
            self.assertEqual(self.inside.call("read", uri, hidden.uuid),
                             [hidden.xml, PASSPHRASE.decode()])
        self.assertEqual(list(self.store.iterdir()), [])


class VirtQemuRun(EmbeddedCase):
    """Of 9.0.0; tests/releases/guest_test.py has those that give themselves libvirt's identity."""

    def setUp(self) -> None:
        super().setUp()
        disk = self.machine.home / "disk.luks"
        write_luks(self.machine, disk)
        self.secret = Secret(type="volume", usage=str(disk))
        self.secret.write(self.machine.home)
        self.value, self.guest = self.machine.home / "value", self.machine.home / "guest.xml"
        self.value.write_bytes(PASSPHRASE)
        self.guest.write_text(domain.machine_xml(domain.disk(disk, domain.encryption(self.secret))))

    def assertStartsNoGuest(self, *options: str) -> None:
        said = self.machine.run(
            "virt-qemu-run", *options, "-s", f"{self.secret.xml_in(self.machine.home)},{self.value}",
            str(self.guest), env={"LIBVIRT_DRIVER_DIR": self.drivers}).failed()
        self.assertIn("cannot start VM: internal error: No current identity to elevate", said)

    def test_of_9_0_0_starts_no_guest_that_needs_a_secret(self) -> None:
        root = self.root("root")
        self.assertStartsNoGuest("-r", str(root))
        # the secret itself was stored
        self.assertTrue(self.secret.value_in(root / "etc/secrets").exists())

    def test_of_9_0_0_starts_none_in_a_root_of_its_own_either(self) -> None:
        self.assertStartsNoGuest()


class TwoRootsInTwoProcesses(EmbeddedCase):
    def setUp(self) -> None:
        super().setUp()
        self.roots = [self.root("a"), self.root("b")]
        self.qemu, self.plain = ([f"{scheme}:///embed?root={root}" for root in self.roots]
                                 for scheme in ("qemu", "secret"))
        self.processes = [self.process(), self.process()]

    def test_each_guest_gets_the_value_of_its_own_root(self) -> None:
        """The guests, the disks and the secrets have the same names and uuids."""
        secret = Secret(type="volume", usage="/the/disk")
        guests = []
        for root, process, qemu, plain in zip(self.roots, self.processes, self.qemu, self.plain):
            write_luks(self.machine, root / "disk.luks")
            disk = domain.disk(root / "disk.luks", domain.encryption(secret))
            guests.append(domain.machine_xml(disk, domain.console(root / "console")))
            for uri in (plain, qemu):
                process.call("open", uri)
            process.call("become_libvirt")
        right, wrong = self.processes
        right.call("define", self.plain[0], secret.xml, PASSPHRASE.decode())
        wrong.call("define", self.plain[1], secret.xml, "another")
        right.call("start", self.qemu[0], guests[0])
        self.assertIn("Invalid password", self.refused(wrong, "start", self.qemu[1], guests[1]))
        wrong.call("define", self.plain[1], secret.xml, PASSPHRASE.decode())
        wrong.call("start", self.qemu[1], guests[1])
        for root, process, qemu in zip(self.roots, self.processes, self.qemu):
            domain.wait_booted(root / "console")
            process.call("stop", qemu)
            self.assertEqual(process.end(), 0)

    @stock_defect("ended with -11 at define")
    def test_a_change_or_a_kill_of_one_is_not_seen_by_the_other(self) -> None:
        secret, passing = Secret(usage="lasting"), Secret(usage="passing", ephemeral=True)
        for process, plain in zip(self.processes, self.plain):
            process.call("open", plain)
            process.call("define", plain, secret.xml, f"in {plain}")
            process.call("define", plain, passing.xml, "value")
        first, second = self.processes
        first.call("undefine", self.plain[0], passing.uuid)
        self.assertIn(passing.uuid, second.call("uuids", self.plain[1]))
        second.kill()
        self.assertEqual(first.call("read", self.plain[0], secret.uuid)[1], f"in {self.plain[0]}")
        successor = self.process()
        successor.call("open", self.plain[1])
        self.assertEqual(successor.call("uuids", self.plain[1]), [secret.uuid])
        self.assertEqual(successor.call("read", self.plain[1], secret.uuid)[1], f"in {self.plain[1]}")

    @stock_defect("A secret driver is already registered")
    def test_neither_opens_the_root_of_the_other(self) -> None:
        first, second = self.processes
        first.call("open", self.plain[0])
        error = self.refused(second, "open", self.plain[0])
        self.assertIn(f"Failed to acquire pid file '{self.roots[0] / 'run/secrets/driver.pid'}'", error)
        second.call("open", self.plain[1])
