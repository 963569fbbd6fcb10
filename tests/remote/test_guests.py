# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests of the system's and of a user's QEMU driver get their keys from secrets."""

from dataclasses import replace

import libvirt

from guests import domain
from guests.boot_disk import PASSPHRASE, write_luks
from guests.drivers import configure_qemu, driver_dir
from guests.tpm_state import TpmState
from harness.case import SystemCase
from harness.machine import User
from harness.secret_files import Secret


class LuksCase(SystemCase):
    user: User | None = None

    def setUp(self) -> None:
        super().setUp()
        self.prepare()
        self.daemon = self.start(driver_dir=driver_dir(self.machine, "qemu"), user=self.user)
        self.qemu = self.daemon.open("qemu")
        home = self.user.home if self.user else self.machine.home
        self.disk, self.console = home / "disk.luks", home / "console"
        write_luks(self.machine, self.disk, self.user)
        self.secret = Secret(type="volume", usage=str(self.disk))

    def prepare(self) -> None:
        configure_qemu(self.machine)

    def xml(self, by: str = domain.BY_UUID) -> str:
        return domain.machine_xml(domain.disk(self.disk, domain.encryption(self.secret, by)),
                                  domain.console(self.console))

    def assertBoots(self, by: str = domain.BY_UUID) -> None:
        guest = self.qemu.createXML(self.xml(by))
        domain.wait_booted(self.console)
        guest.destroy()


class GuestOnALuksDisk(LuksCase):
    def test_boots_with_a_secret_named_by_uuid(self) -> None:
        self.define(self.qemu, self.secret, PASSPHRASE)
        self.assertBoots()

    def test_boots_with_a_secret_named_by_usage(self) -> None:
        self.define(self.qemu, self.secret, PASSPHRASE)
        self.assertBoots(domain.BY_USAGE)

    def test_boots_with_a_secret_that_no_client_can_read_and_no_file_holds(self) -> None:
        hidden = replace(self.secret, ephemeral=True, private=True)
        self.define(self.qemu, hidden, PASSPHRASE)
        for scheme in ("qemu", "secret"):
            error = self.refusal(self.value_of, self.daemon.open(scheme), hidden)
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_INVALID_SECRET)
            self.assertIn("secret is private", str(error))
        self.assertEqual(list(self.machine.store.iterdir()), [])
        self.assertBoots()

    def test_a_missing_secret_is_named(self) -> None:
        for by, word in ((domain.BY_UUID, self.secret.uuid), (domain.BY_USAGE, self.secret.usage)):
            error = self.refusal(self.qemu.createXML, self.xml(by))
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
            self.assertIn(word, str(error))

    def test_a_missing_value_is_named(self) -> None:
        self.define(self.qemu, self.secret)
        for by in (domain.BY_UUID, domain.BY_USAGE):
            error = self.refusal(self.qemu.createXML, self.xml(by))
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
            self.assertIn(f"secret '{self.secret.uuid}' does not have a value", str(error))

    def test_a_wrong_value_is_called_a_wrong_password(self) -> None:
        self.define(self.qemu, self.secret, b"another")
        self.assertIn("Invalid password, cannot unlock any keyslot",
                      str(self.refusal(self.qemu.createXML, self.xml())))

    def test_a_secret_of_another_type_is_not_taken(self) -> None:
        other = replace(self.secret, type="ceph")
        self.define(self.qemu, other, PASSPHRASE)
        self.assertIn(f"secret with uuid {other.uuid} is of type 'ceph' not expected 'volume' type",
                      str(self.refusal(self.qemu.createXML, self.xml())))
        error = self.refusal(self.qemu.createXML, self.xml(domain.BY_USAGE))
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)


class GuestOfAUser(LuksCase):
    """qemu:///session, with a daemon and a guest that run as the user."""

    def prepare(self) -> None:
        self.user = self.machine.one

    def test_boots_with_a_secret_of_the_user(self) -> None:
        self.define(self.daemon.open("secret"), self.secret, PASSPHRASE)
        self.assertListed(self.qemu, self.secret)
        self.assertEqual(self.value_of(self.qemu, self.secret), PASSPHRASE)
        self.assertTrue(self.secret.value_in(self.machine.one.store).exists())
        self.assertBoots()


class GuestWithATpm(SystemCase):
    UUID = "5d0d2a0e-0a3e-4f39-8d0f-6c5d6a7f1b2c"

    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        self.daemon = self.start(driver_dir=driver_dir(self.machine, "qemu"))
        self.qemu = self.daemon.open("qemu")
        self.secret = Secret(type="vtpm", usage="tpm of the guest", private=True, ephemeral=True)
        self.xml = domain.machine_xml(domain.tpm(self.secret), uuid=self.UUID)
        self.state = TpmState(self.machine, self.UUID)

    def start_once(self, value: bytes) -> libvirt.virDomain:
        """The guest's definition; the TPM has been made, and the guest is off."""
        self.define(self.qemu, self.secret, value)
        guest = self.qemu.defineXML(self.xml)
        guest.create()
        self.assertTrue(domain.is_running(guest))
        guest.destroy()
        return guest

    def test_its_state_opens_with_the_secret_and_not_without(self) -> None:
        self.start_once(b"key of the state")
        self.assertEqual(self.state.refusal_of(b"key of the state"), "")
        self.assertIn("HMAC failed", self.state.refusal_of(b"another"))
        self.assertIn("Could not find plain data", self.state.refusal_of(None))

    def test_starts_again_with_the_same_value_only(self) -> None:
        guest = self.start_once(b"key of the state")
        handle = self.qemu.secretLookupByUUIDString(self.secret.uuid)
        handle.setValue(b"another")
        # swtpm says so and ends, perhaps before qemu has connected to it
        self.assertRegex(str(self.refusal(guest.create)),
                         r"CMD_INIT: 0x101 operation failed|swtpm\.sock': Connection refused")
        log = self.machine.home / "var-log/swtpm/libvirt/qemu/guest-swtpm.log"
        self.assertIn("Verification of HMAC failed", log.read_text())
        handle.setValue(b"key of the state")
        guest.create()
        self.assertTrue(domain.is_running(guest))
        guest.destroy()

    def test_does_not_start_without_the_secret(self) -> None:
        guest = self.qemu.defineXML(self.xml)
        error = self.refusal(guest.create)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(self.secret.uuid, str(error))
        self.define(self.qemu, self.secret)
        self.assertNoValueFor(self.refusal(guest.create))

    def assertNoValueFor(self, error: libvirt.libvirtError) -> None:
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(f"secret '{self.secret.uuid}' does not have a value", str(error))
