# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a restart finds: after SIGTERM, and of what came before it."""

import os

import libvirt

from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.secret_files import Secret, snapshot, write_file, write_value

CEPH = libvirt.VIR_SECRET_USAGE_TYPE_CEPH


class RestartCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.begin(self.start())

    def begin(self, daemon: Daemon) -> None:
        self.daemon, self.root = daemon, daemon.open()

    def restart(self) -> None:
        self.assertEqual(self.daemon.stop(), 0)
        self.begin(self.start())


class Restart(RestartCase):
    def test_persistent_secrets_are_there_and_ephemeral_ones_are_not(self) -> None:
        lasting = [Secret(usage="a", description="d & <d>"), Secret(usage="b", private=True),
                   Secret(usage="iqn.2026", type="iscsi"), Secret()]
        passing = Secret(usage="passing", ephemeral=True)
        for secret in (*lasting, passing):
            self.define(self.root, secret, b"of " + secret.usage.encode())
        self.restart()
        self.assertListed(self.root, *lasting)
        for secret in lasting:
            handle = self.root.secretLookupByUUIDString(secret.uuid)
            self.assertEqual(handle.XMLDesc(), secret.xml)
            if not secret.private:
                self.assertEqual(handle.value(), b"of " + secret.usage.encode())

    def test_a_secret_without_value_stays_without(self) -> None:
        secret = Secret(usage="a")
        self.define(self.root, secret)
        self.restart()
        self.assertNoValue(self.root, secret)

    def test_an_ephemeral_secret_redefined_persistent_is_there_with_its_value(self) -> None:
        secret = Secret(usage="a", ephemeral=True)
        self.define(self.root, secret, b"kept")
        self.define(self.root, Secret(secret.uuid, "a"))
        self.restart()
        self.assertEqual(self.value_of(self.root, secret), b"kept")

    @stock_defect("Items in the first set but not the second")
    def test_a_persistent_secret_redefined_ephemeral_is_gone(self) -> None:
        secret = Secret(usage="a")
        self.define(self.root, secret, b"value")
        self.define(self.root, Secret(secret.uuid, "a", ephemeral=True))
        self.assertEqual(self.value_of(self.root, secret), b"value")
        self.restart()
        self.assertListed(self.root)

    @stock_defect("Items in the first set but not the second")
    def test_and_it_does_not_come_back_once_undefined(self) -> None:
        secret = Secret(usage="a")
        self.define(self.root, secret, b"value")
        self.define(self.root, Secret(secret.uuid, "a", ephemeral=True)).undefine()
        self.restart()
        self.assertListed(self.root)

    @stock_defect("was not refused")
    def test_an_orphaned_value_is_not_adopted_by_a_new_definition(self) -> None:
        secret = Secret(usage="a")
        write_value(secret.value_in(self.store), b"orphan")
        self.restart()
        self.define(self.root, secret)
        self.assertNoValue(self.root, secret)
        self.restart()
        self.assertNoValue(self.root, secret)
        self.assertIn(b"b3JwaGFu", snapshot(self.store).values(), "the orphan was destroyed")

    @stock_defect("was not refused")
    def test_another_usage_type_with_an_id_in_use_is_refused(self) -> None:
        volume, ceph = Secret(usage="a", type="volume"), Secret(usage="a")
        self.define(self.root, volume, b"volume")
        self.define(self.root, ceph, b"ceph")
        self.refusal(self.root.secretDefineXML, Secret(ceph.uuid, "a", type="volume").xml)
        self.restart()
        self.assertListed(self.root, volume, ceph)

    @stock_defect(r"'u\\nv' != 'u\\rv'")
    def test_a_carriage_return_survives(self) -> None:
        xml = ("<secret><description>a&#13;b</description>"
               "<usage type='ceph'><name>u&#13;v</name></usage></secret>")
        uuid = self.root.secretDefineXML(xml).UUIDString()
        before = self.root.secretLookupByUUIDString(uuid).usageID()
        self.restart()
        self.assertEqual(self.root.secretLookupByUUIDString(uuid).usageID(), before)
        self.assertEqual(self.root.secretLookupByUsage(CEPH, "u\rv").UUIDString(), uuid)

    def test_other_peoples_files_are_left_alone(self) -> None:
        orphan, stray = Secret(), Secret()
        names = ["README", ".hidden", "notes.txt", "s.xml.bak", ".#s.xml", "s.xml~", "lost+found.xml.tmp",
                 f"{stray.uuid}.xml.new", f"{stray.uuid}.base64.new", f"{stray.uuid}.xml.dpkg-old",
                 f".{stray.uuid}.xml.swp", f"{orphan.uuid}.base64", "misnamed.xml", "tmp.XXXX", ".new"]
        for name in names:
            write_file(self.store / name, f"content of {name}")
        (self.store / "lost+found").mkdir()
        (self.store / "lost+found/inner.xml").write_text("inner")
        (self.store / "dangling").symlink_to("nowhere")
        os.mkfifo(self.store / "pipe")
        before = snapshot(self.store)
        self.restart()
        secret = Secret(usage="a")
        handle = self.define(self.root, secret, b"value")
        self.define(self.root, Secret(secret.uuid, "a", description="again"))
        handle.setValue(b"other")
        handle.undefine()
        self.daemon.reload()
        self.restart()
        self.daemon.kill()
        self.begin(self.start())
        self.assertEqual(snapshot(self.store), before)
        self.assertEqual((self.store / "lost+found/inner.xml").read_text(), "inner")
