# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secrets of lxc:///system are those of secret:///system."""

import libvirt

from guests.drivers import driver_dir
from harness.case import SystemCase
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED, EventLog
from harness.secret_files import Secret


class SecretsThroughLxc(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start(driver_dir=driver_dir(self.machine, "lxc"))
        self.lxc, self.plain = self.daemon.open("lxc"), self.daemon.open("secret")

    def test_what_one_defines_the_other_finds(self) -> None:
        self.assertEqual(self.lxc.getType(), "LXC")
        through_lxc, through_secret = Secret(usage="by lxc"), Secret(usage="by secret", ephemeral=True)
        self.define(self.lxc, through_lxc, b"l")
        self.define(self.plain, through_secret, b"s")
        for connection in (self.lxc, self.plain):
            self.assertListed(connection, through_lxc, through_secret)
            self.assertEqual(self.value_of(connection, through_lxc), b"l")
            found = connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "by secret")
            self.assertEqual((found.XMLDesc(), found.value()), (through_secret.xml, b"s"))
        for uri in ("lxc:///", "lxc:///system"):
            self.assertIn(through_secret.uuid, self.machine.virsh("secret-list", uri=uri).ok())

    def test_events_reach_both_whoever_causes_them(self) -> None:
        logs = [EventLog(self.lxc), EventLog(self.plain)]
        secret = Secret(usage="a")
        self.define(self.lxc, secret, b"value")
        self.plain.secretLookupByUUIDString(secret.uuid).undefine()
        for log in logs:
            self.assertEqual(log.take(), [(DEFINED, secret.uuid), (VALUE_CHANGED, secret.uuid),
                                          (UNDEFINED, secret.uuid)])

    def test_a_private_value_is_refused_through_both(self) -> None:
        secret = Secret(usage="a", private=True)
        self.define(self.lxc, secret, b"value")
        for connection in (self.lxc, self.plain):
            self.assertIn("secret is private", str(self.refusal(self.value_of, connection, secret)))

    def test_a_read_only_connection_changes_nothing(self) -> None:
        secret = Secret(usage="a")
        self.define(self.lxc, secret, b"value")
        reader = self.daemon.open("lxc", readonly=True)
        handle = reader.secretLookupByUUIDString(secret.uuid)
        for call in (handle.value, handle.undefine, lambda: handle.setValue(b"x"),
                     lambda: reader.secretDefineXML(secret.xml)):
            self.assertEqual(self.refusal(call).get_error_code(), libvirt.VIR_ERR_OPERATION_DENIED)
        self.assertEqual(self.value_of(self.lxc, secret), b"value")
