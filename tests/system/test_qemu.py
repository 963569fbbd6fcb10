# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secrets of qemu:///system and of secret:///system are the same ones."""

import libvirt

from harness.case import SystemCase
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED, EventLog
from harness.qemu import configure_qemu, domain_with_disk, make_luks_disk
from harness.secret_files import Secret
from harness.settings import settings

CEPH = libvirt.VIR_SECRET_USAGE_TYPE_CEPH


class SecretsThroughQemu(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        self.daemon = self.start(driver_dir=settings().with_qemu)
        self.qemu = self.daemon.open("qemu")
        self.plain = self.daemon.open("secret")

    def test_what_one_defines_the_other_finds(self) -> None:
        through_qemu, through_secret = Secret(usage="by qemu"), Secret(usage="by secret")
        self.define(self.qemu, through_qemu, b"q")
        self.define(self.plain, through_secret, b"s")
        for connection in (self.qemu, self.plain):
            self.assertListed(connection, through_qemu, through_secret)
            self.assertEqual(self.value_of(connection, through_qemu), b"q")
            found = connection.secretLookupByUsage(CEPH, "by secret")
            self.assertEqual((found.XMLDesc(), found.value()), (through_secret.xml, b"s"))

    def test_a_secret_belongs_to_the_connection_it_was_found_through(self) -> None:
        secret = Secret(usage="a")
        defined = self.define(self.qemu, secret)
        self.assertEqual(defined.connect().getType(), "QEMU")
        self.assertEqual(self.qemu.secretLookupByUUIDString(secret.uuid).connect().getType(), "QEMU")
        self.assertEqual(self.plain.secretLookupByUUIDString(secret.uuid).connect().getType(), "secret")
        self.assertEqual({found.connect().getType() for found in self.qemu.listAllSecrets()}, {"QEMU"})

    def test_events_reach_both_whoever_causes_them(self) -> None:
        logs = [EventLog(self.qemu), EventLog(self.plain)]
        secret = Secret(usage="a")
        self.define(self.qemu, secret, b"value")
        self.plain.secretLookupByUUIDString(secret.uuid).undefine()
        for log in logs:
            self.assertEqual(log.take(), [(DEFINED, secret.uuid), (VALUE_CHANGED, secret.uuid),
                                          (UNDEFINED, secret.uuid)])

    def test_a_private_value_is_refused_through_both(self) -> None:
        secret = Secret(usage="a", private=True)
        self.define(self.qemu, secret, b"value")
        for connection in (self.qemu, self.plain):
            self.assertIn("secret is private", str(self.refusal(self.value_of, connection, secret)))

    def test_a_read_only_qemu_connection_changes_nothing(self) -> None:
        secret = Secret(usage="a")
        self.define(self.qemu, secret, b"value")
        reader = self.daemon.open("qemu", readonly=True)
        handle = reader.secretLookupByUUIDString(secret.uuid)
        for call in (handle.value, handle.undefine, lambda: handle.setValue(b"x"),
                     lambda: reader.secretDefineXML(secret.xml)):
            error = self.refusal(call)
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_OPERATION_DENIED)

    def test_the_connections_close_in_any_order(self) -> None:
        secret = Secret(usage="a")
        self.define(self.qemu, secret, b"value")
        kept = self.qemu.secretLookupByUUIDString(secret.uuid)
        self.plain.close()
        self.assertEqual(kept.value(), b"value")
        self.qemu.close()
        self.assertEqual(self.value_of(self.daemon.open(), secret), b"value")


class GuestsWithSecrets(SystemCase):
    """The QEMU driver asks for a value itself; only it may read a private one."""

    def test_a_guest_starts_once_its_private_secret_has_the_right_value(self) -> None:
        configure_qemu(self.machine)
        qemu = self.start(driver_dir=settings().with_qemu).open("qemu")
        disk = make_luks_disk(self.machine, "data=passphrase")
        secret = Secret(type="volume", usage=str(disk), private=True)
        xml = domain_with_disk(disk, secret)

        error = self.refusal(qemu.createXML, xml)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(f"no secret with matching uuid '{secret.uuid}'", str(error))

        handle = self.define(qemu, secret)
        error = self.refusal(qemu.createXML, xml)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(f"secret '{secret.uuid}' does not have a value", str(error))

        handle.setValue(b"other")
        self.assertIn("nvalid password", str(self.refusal(qemu.createXML, xml)))

        handle.setValue(b"passphrase")
        guest = qemu.createXML(xml)
        self.assertTrue(guest.isActive())
        guest.destroy()
