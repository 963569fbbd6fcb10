# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ephemeral secrets whose definition somebody puts into the store: no value follows it there."""

from harness.case import SystemCase
from harness.secret_files import Secret, snapshot, write_file

VALUE = b"not for the disk"


class EphemeralFiles(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.secret = Secret(usage="ephemeral", ephemeral=True, private=True)
        Secret(usage="bystander").write(self.store)

    def test_a_definition_that_appears(self) -> None:
        daemon = self.start()
        self.define(daemon.open(), self.secret, VALUE)
        write_file(self.secret.xml_in(self.store), self.secret.xml)
        before = snapshot(self.store)
        for _ in range(2):
            daemon.reload()
            self.assertEqual(snapshot(self.store), before)
        self.assertLogNames(daemon, self.secret.uuid, "is ephemeral and has a definition in")

    def test_a_definition_that_is_there_at_a_start(self) -> None:
        secret = Secret(usage="ephemeral", ephemeral=True)
        secret.write(self.store)
        before = snapshot(self.store)
        daemon = self.start()
        root = daemon.open()
        self.assertLogNames(daemon, secret.uuid, "is ephemeral and has a definition in")
        changed = Secret(secret.uuid, "ephemeral", description="of a client", ephemeral=True)
        self.define(root, changed, VALUE)
        self.assertEqual(self.value_of(root, secret), VALUE)
        self.assertEqual(snapshot(self.store), before)
        daemon.reload()
        self.assertEqual(self.value_of(root, secret), VALUE)
        self.assertEqual(snapshot(self.store), before)
        daemon.stop()
        root = self.start().open()
        self.assertNoValue(root, secret)
        root.secretLookupByUUIDString(secret.uuid).undefine()
        self.assertFalse(secret.xml_in(self.store).exists())
