#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client's side of every_call.py: makes every call over one URI, as the user it runs as.

Prints a JSON object: for each claim the text of its failure, empty where it holds."""

import json
import sys
import unittest

import libvirt

from harness.case import SystemCase
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED, EventLog
from harness.secret_files import Secret
from harness.waiting import wait_for

READ_ONLY = "operation forbidden: read only access prevents"


class Claims(SystemCase):
    uri = ""
    encrypted = False
    private_error = ""
    wire = True

    def setUp(self) -> None:
        self.connection = self.open()

    def open(self, flags: int = 0) -> libvirt.virConnect:
        # SASL uses a mechanism with passwords only where it could ask; auth.conf answers first
        askable = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]
        connection = libvirt.openAuth(self.uri, [askable, lambda *_: -1, None], flags)
        self.addCleanup(connection.close)
        return connection

    def made(self, secret: Secret, value: bytes) -> libvirt.virSecret:
        handle = self.define(self.connection, secret, value)
        self.addCleanup(handle.undefine)
        return handle

    def test_secret_lives_from_definition_to_undefinition(self) -> None:
        secret = Secret(usage="of the client", description="remote")
        handle = self.define(self.connection, secret, b"value")
        self.assertEqual(handle.value(), b"value")
        self.assertEqual(handle.XMLDesc(), secret.xml)
        self.assertIn(secret.uuid, self.uuids(self.connection))
        found = self.connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, secret.usage)
        self.assertEqual(found.UUIDString(), secret.uuid)
        handle.undefine()
        self.assertNotIn(secret.uuid, self.uuids(self.connection))
        error = self.refusal(self.value_of, self.connection, secret)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)

    def test_events_arrive(self) -> None:
        events = EventLog(self.connection)
        self.addCleanup(events.deregister)
        secret = Secret(usage="watched")
        self.define(self.connection, secret, b"value").undefine()
        self.assertEqual(events.take(), [(what, secret.uuid)
                                         for what in (DEFINED, VALUE_CHANGED, UNDEFINED)])

    def test_largest_value_reads_back(self) -> None:
        value = bytes(range(256)) * 256
        self.assertEqual(len(value), 65536)
        self.assertEqual(self.made(Secret(usage="large"), value).value(), value)

    def test_value_that_the_wire_cannot_carry_is_refused(self) -> None:
        handle, value = self.made(Secret(usage="too large"), b"value"), bytes(65537)
        if not self.wire:
            handle.setValue(value)
            self.assertTrue(handle.value() == value)
            return
        self.assertEqual(str(self.refusal(handle.setValue, value)),
                         "value length greater than maximum: 65537 > 65536")
        self.assertEqual(handle.value(), b"value")

    def test_binary_value_reads_back(self) -> None:
        value = b"\0before\0\x80\xfe\xff\r\n\0"
        self.assertEqual(self.made(Secret(usage="binary"), value).value(), value)

    def test_private_value_is_refused(self) -> None:
        handle = self.made(Secret(usage="private", private=True), b"value")
        error = self.refusal(handle.value)
        self.assertEqual(str(error), self.private_error)

    def test_read_only_connection_reveals_and_changes_nothing(self) -> None:
        secret = Secret(usage="read")
        self.made(secret, b"value")
        reader = self.open(libvirt.VIR_CONNECT_RO)
        self.assertIn(secret.uuid, self.uuids(reader))
        handle = reader.secretLookupByUUIDString(secret.uuid)
        self.assertEqual(handle.XMLDesc(), secret.xml)
        other = Secret(usage="not to be")
        for call, *arguments in ((handle.value,), (handle.setValue, b"other"), (handle.undefine,),
                                 (reader.secretDefineXML, other.xml)):
            self.assertIn(READ_ONLY, str(self.refusal(call, *arguments)))
        self.assertEqual(self.value_of(self.connection, secret), b"value")
        self.assertNotIn(other.uuid, self.uuids(self.connection))

    def test_read_only_connection_is_told_of_changes(self) -> None:
        reader = self.open(libvirt.VIR_CONNECT_RO)
        events = EventLog(reader)
        self.addCleanup(events.deregister)
        secret = Secret(usage="watched")
        self.define(self.connection, secret, b"value").undefine()
        wait_for("the last event arrives", lambda: (UNDEFINED, secret.uuid) in events.seen())
        self.assertEqual(events.seen(), [(what, secret.uuid)
                                         for what in (DEFINED, VALUE_CHANGED, UNDEFINED)])

    def test_connection_says_whether_it_is_encrypted(self) -> None:
        self.assertEqual((self.connection.getURI(), bool(self.connection.isEncrypted())),
                         (self.uri, self.encrypted))


def main() -> int:
    Claims.uri, Claims.encrypted, Claims.private_error, Claims.wire = json.loads(sys.argv[1])
    Claims.setUpClass()
    outcomes = {}
    for test in unittest.defaultTestLoader.loadTestsFromTestCase(Claims):
        result = unittest.TestResult()
        test.run(result)
        outcomes[test._testMethodName] = "".join(text for _, text in result.errors + result.failures)
    print(json.dumps(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
