# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the audit trail knows of callers that are other users, or libvirt itself."""

from access_case import VALUE, AccessControlCase, rule
from guests import domain
from guests.boot_disk import PASSPHRASE
from harness.audit_case import AuditCase
from harness.waiting import wait_for
from test_guests import LuksCase


class Denial(AccessControlCase, AuditCase):
    def test_a_denial_is_one_record_with_the_client_that_was_denied(self) -> None:
        self.configure()
        self.serve(rule("return permission !== 'secret.read-secure';"))
        self.define(self.root, self.secret, VALUE)
        client = self.client(self.machine.one)
        self.assertDenied(client.get, self.secret.uuid)
        wait_for("the denial is recorded", lambda: len(self.records("secret-value-read")) == 1)
        [record] = self.records("secret-value-read")
        self.assertEqual((record["event"]["outcome"], record["event"]["reason"], record["event"]["type"]),
                         ("failure", "denied", ["access", "denied"]))
        self.assertEqual(record["user"]["name"], "one")
        self.assertEqual(record["process"]["pid"], client.pid)
        self.assertEqual(record["keyhold"]["secret"], self.secret.uuid)


class GuestThatStarts(LuksCase, AuditCase):
    def prepare(self) -> None:
        super().prepare()
        self.configure()

    def test_libvirt_reads_for_the_client_that_starts_it(self) -> None:
        self.define(self.qemu, self.secret, PASSPHRASE)
        self.assertBoots()
        [record] = self.records("secret-value-read")
        self.assertEqual(record["event"]["outcome"], "success")
        self.assertIs(record["keyhold"]["elevated"], True)
        self.assertEqual(record["keyhold"]["job"], "remoteDispatchDomainCreateXML")
        self.assertEqual(record["user"]["id"], "0")

    def test_it_starts_while_the_trail_cannot_be_written(self) -> None:
        self.define(self.qemu, self.secret, PASSPHRASE)
        former = self.trail.rename(self.trail.with_name("former"))
        self.trail.mkdir()
        self.refusal(self.value_of, self.qemu, self.secret)
        self.assertBoots()
        self.trail.rmdir()
        wait_for("the read is written", lambda: self.trail.exists() and self.records("secret-value-read"))
        [failed, late] = sorted(self.records("secret-value-read"), key=lambda record: record["@timestamp"])
        self.assertEqual(failed["event"]["reason"], "audit-unavailable")
        self.assertIs(late["keyhold"]["late"], True)
        self.assertIs(late["keyhold"]["elevated"], True)
        self.assertTrue(former.exists())
