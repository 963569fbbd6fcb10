# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGHUP: what changed in the store while the daemon ran."""

import os

import libvirt

from harness.case import SystemCase, stock_defect
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED, EventLog
from harness.secret_files import Secret, snapshot, write_file, write_value

SAID_NOTHING = r"Lists differ: \[\] != "


class ReloadCase(SystemCase):
    """Two secrets with values are in the store, `self.log` records the events from then on."""

    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.secret = Secret(usage="first", description="old")
        self.bystander = Secret(usage="second")
        for secret in (self.secret, self.bystander):
            secret.write(self.store, b"of " + secret.usage.encode())
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.log = EventLog(self.root)

    def assertBystanderUntouched(self) -> None:
        self.assertEqual(self.value_of(self.root, self.bystander), b"of second")

    def assertUnchanged(self) -> None:
        """Both secrets are as they were at the start."""
        self.assertListed(self.root, self.secret, self.bystander)
        handle = self.root.secretLookupByUUIDString(self.secret.uuid)
        self.assertEqual(handle.XMLDesc(), self.secret.xml)
        self.assertEqual(handle.value(), b"of first")
        self.assertBystanderUntouched()


class ReloadOfDefinitions(ReloadCase):
    def test_nothing_changed_nothing_happens(self) -> None:
        before = snapshot(self.store)
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])
        self.assertEqual(snapshot(self.store), before)

    def test_a_new_definition_and_its_value_appear(self) -> None:
        new = Secret(usage="new")
        new.write(self.store, b"value", newline=True)
        self.daemon.reload()
        self.assertListed(self.root, self.secret, self.bystander, new)
        self.assertEqual(self.value_of(self.root, new), b"value")
        found = self.root.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "new")
        self.assertEqual(found.UUIDString(), new.uuid)

    @stock_defect(SAID_NOTHING)
    def test_a_new_definition_is_an_event(self) -> None:
        new = Secret(usage="new")
        new.write(self.store)
        self.daemon.reload()
        self.assertEqual(self.log.take(), [(DEFINED, new.uuid)])

    def test_a_changed_description_is_taken_over(self) -> None:
        changed = Secret(self.secret.uuid, "first", description="new")
        write_file(changed.xml_in(self.store), changed.xml)
        self.daemon.reload()
        handle = self.root.secretLookupByUUIDString(self.secret.uuid)
        self.assertEqual(handle.XMLDesc(), changed.xml)
        self.assertEqual(handle.value(), b"of first")

    @stock_defect(SAID_NOTHING)
    def test_a_changed_description_is_an_event(self) -> None:
        changed = Secret(self.secret.uuid, "first", description="new")
        write_file(changed.xml_in(self.store), changed.xml)
        self.daemon.reload()
        self.assertEqual(self.log.take(), [(DEFINED, self.secret.uuid)])

    @stock_defect("Items in the first set but not the second")
    def test_a_removed_definition_goes_with_an_event(self) -> None:
        self.secret.xml_in(self.store).unlink()
        self.secret.value_in(self.store).unlink()
        self.daemon.reload()
        self.assertListed(self.root, self.bystander)
        self.assertEqual(self.log.take(), [(UNDEFINED, self.secret.uuid)])
        error = self.refusal(self.root.secretLookupByUsage, libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "first")
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertBystanderUntouched()

    @stock_defect("Items in the first set but not the second")
    def test_a_value_file_whose_definition_was_removed_stays_where_it_is(self) -> None:
        self.secret.xml_in(self.store).unlink()
        self.daemon.reload()
        self.assertListed(self.root, self.bystander)
        self.assertEqual(self.secret.value_in(self.store).read_bytes(), b"b2YgZmlyc3Q=")
        self.assertLogNames(self.daemon, f"{self.secret.uuid}.base64")

    @stock_defect("was not refused")
    def test_a_secret_that_went_cannot_be_given_a_value_through_an_old_handle(self) -> None:
        handle = self.root.secretLookupByUUIDString(self.secret.uuid)
        self.secret.xml_in(self.store).unlink()
        self.secret.value_in(self.store).unlink()
        self.daemon.reload()
        error = self.refusal(handle.setValue, b"orphan")
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertFalse(self.secret.value_in(self.store).exists())

    def test_a_garbage_definition_keeps_the_old_one_and_is_logged(self) -> None:
        write_file(self.secret.xml_in(self.store), "<secret><uuid>")
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])
        self.assertIn(self.secret.uuid, self.daemon.log())

    def test_a_definition_that_cannot_be_read_keeps_the_old_one(self) -> None:
        self.secret.xml_in(self.store).unlink()
        self.secret.xml_in(self.store).symlink_to("loop")
        (self.store / "loop").symlink_to("loop")
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])

    def test_a_directory_in_place_of_a_definition_keeps_the_old_one(self) -> None:
        self.secret.xml_in(self.store).unlink()
        self.secret.xml_in(self.store).mkdir()
        self.daemon.reload()
        self.assertUnchanged()
        self.assertLogNames(self.daemon, f"{self.secret.uuid}.xml")

    def test_private_is_not_taken_away_by_a_reload(self) -> None:
        hidden = Secret(usage="hidden", private=True)
        self.define(self.root, hidden, b"hidden")
        write_file(hidden.xml_in(self.store), Secret(hidden.uuid, "hidden").xml)
        self.daemon.reload()
        error = self.refusal(self.value_of, self.root, hidden)
        self.assertIn("secret is private", str(error))
        self.assertLogNames(self.daemon, "private")

    def test_a_usage_in_use_is_refused_and_logged(self) -> None:
        rival = Secret(usage="first")
        rival.write(self.store, b"rival")
        self.daemon.reload()
        self.assertUnchanged()
        self.assertLogNames(self.daemon, "already defined for use with", "first")

    def test_the_lookup_by_usage_agrees_with_a_definition_whose_usage_was_edited(self) -> None:
        edited = Secret(self.secret.uuid, "renamed", description="old")
        write_file(edited.xml_in(self.store), edited.xml)
        self.daemon.reload()
        self.assertListed(self.root, self.secret, self.bystander)
        found = {}
        for usage in ("first", "renamed"):
            try:
                found[usage] = self.root.secretLookupByUsage(
                    libvirt.VIR_SECRET_USAGE_TYPE_CEPH, usage)
            except libvirt.libvirtError as error:
                self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertEqual(len(found), 1)
        for usage, handle in found.items():
            self.assertIn(f"<name>{usage}</name>", handle.XMLDesc())
            self.assertEqual(handle.value(), b"of first")

    def test_a_changed_usage_type_is_taken_over(self) -> None:
        changed = Secret(self.secret.uuid, "first", type="volume", description="old")
        write_file(changed.xml_in(self.store), changed.xml)
        self.daemon.reload()
        found = self.root.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, "first")
        self.assertEqual((found.XMLDesc(), found.value()), (changed.xml, b"of first"))
        self.refusal(self.root.secretLookupByUsage, libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "first")

    @stock_defect("2 != 1")
    def test_an_edited_usage_type_does_not_collide(self) -> None:
        volume = Secret(usage="first", type="volume")
        self.define(self.root, volume, b"volume")
        edited = Secret(self.secret.uuid, "first", type="volume", description="old")
        write_file(edited.xml_in(self.store), edited.xml)
        self.daemon.reload()
        users = [s for s in self.root.listAllSecrets() if (s.usageType(), s.usageID()) ==
                 (libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, "first")]
        self.assertEqual(len(users), 1)
        self.assertEqual(self.value_of(self.root, volume), b"volume")

    def test_a_file_replaced_by_an_identical_one_is_no_event(self) -> None:
        copy = self.machine.etc / "copy"
        write_file(copy, self.secret.xml)
        os.rename(copy, self.secret.xml_in(self.store))
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])


class ReloadOfValues(ReloadCase):
    def test_a_changed_value_is_taken_over(self) -> None:
        write_value(self.secret.value_in(self.store), b"rotated", newline=True)
        self.daemon.reload()
        self.assertEqual(self.value_of(self.root, self.secret), b"rotated")
        self.assertBystanderUntouched()

    @stock_defect(SAID_NOTHING)
    def test_a_changed_value_is_one_event(self) -> None:
        write_value(self.secret.value_in(self.store), b"rotated")
        self.daemon.reload()
        self.assertEqual(self.log.take(), [(VALUE_CHANGED, self.secret.uuid)])

    def test_the_same_value_written_otherwise_is_no_event(self) -> None:
        write_value(self.secret.value_in(self.store), b"of first", newline=True)
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])

    @stock_defect("answered b'of first'")
    def test_a_removed_value_is_gone(self) -> None:
        self.secret.value_in(self.store).unlink()
        self.daemon.reload()
        self.assertNoValue(self.root, self.secret)
        self.assertBystanderUntouched()

    @stock_defect("cause is unknown|error code|!= 66")
    def test_an_emptied_value_file_is_no_value(self) -> None:
        write_file(self.secret.value_in(self.store), "")
        self.daemon.reload()
        self.assertNoValue(self.root, self.secret)

    def test_a_first_value_appears(self) -> None:
        bare = Secret(usage="bare")
        self.define(self.root, bare)
        write_value(bare.value_in(self.store), b"first")
        self.daemon.reload()
        self.assertEqual(self.value_of(self.root, bare), b"first")

    @stock_defect("Items in the second set but not the first")
    def test_a_value_file_that_cannot_be_read_keeps_secret_and_value(self) -> None:
        self.secret.value_in(self.store).unlink()
        self.secret.value_in(self.store).mkdir()
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])
        self.assertLogNames(self.daemon, f"{self.secret.uuid}.base64")

    @stock_defect("!= b'of first'")
    def test_a_garbage_value_file_keeps_the_old_value(self) -> None:
        write_file(self.secret.value_in(self.store), "not base64!!")
        self.daemon.reload()
        self.assertUnchanged()
        self.assertLogNames(self.daemon, f"{self.secret.uuid}.base64")

    @stock_defect("!= b'of first'")
    def test_a_truncated_value_file_keeps_the_old_value(self) -> None:
        write_file(self.secret.value_in(self.store), "b2YgZmly" + "c3")
        self.daemon.reload()
        self.assertUnchanged()

    def test_a_repaired_file_is_taken_over_by_the_next_reload(self) -> None:
        write_file(self.secret.xml_in(self.store), "garbage")
        self.daemon.reload()
        changed = Secret(self.secret.uuid, "first", description="repaired")
        changed.write(self.store, b"repaired")
        self.daemon.reload()
        handle = self.root.secretLookupByUUIDString(self.secret.uuid)
        self.assertEqual((handle.XMLDesc(), handle.value()), (changed.xml, b"repaired"))

    def test_ephemeral_secrets_are_kept(self) -> None:
        passing = Secret(usage="passing", ephemeral=True)
        self.define(self.root, passing, b"passing")
        self.log.take()
        self.daemon.reload()
        self.assertEqual(self.value_of(self.root, passing), b"passing")
        self.assertEqual(self.log.take(), [])

    def test_files_of_an_ephemeral_secret_make_it_persistent(self) -> None:
        passing = Secret(usage="passing", ephemeral=True)
        self.define(self.root, passing, b"memory")
        lasting = Secret(passing.uuid, "passing")
        lasting.write(self.store, b"disk")
        self.daemon.reload()
        handle = self.root.secretLookupByUUIDString(passing.uuid)
        self.assertEqual((handle.XMLDesc(), handle.value()), (lasting.xml, b"disk"))


class ReloadOfAStoreThatWentAway(ReloadCase):
    def empty_the_store(self) -> None:
        for path in list(self.store.iterdir()):
            path.unlink()

    def test_a_store_that_is_suddenly_empty_loses_nothing(self) -> None:
        self.empty_the_store()
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])

    @stock_defect("no line of the log names")
    def test_a_store_that_is_suddenly_empty_is_logged(self) -> None:
        self.empty_the_store()
        self.daemon.reload()
        self.assertLogNames(self.daemon, "/etc/libvirt/secrets")

    def test_a_store_that_was_moved_away_loses_nothing(self) -> None:
        os.rename(self.store, self.machine.home / "elsewhere")
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])

    def test_an_empty_directory_in_place_of_the_store_loses_nothing(self) -> None:
        os.rename(self.store, self.machine.home / "elsewhere")
        self.store.mkdir(mode=0o700)
        self.daemon.reload()
        self.assertUnchanged()
        self.assertEqual(self.log.take(), [])


class ReloadOfAMountedStore(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.disk = self.machine.home / "disk"
        self.secret = Secret(usage="first")
        self.bystander = Secret(usage="second")
        for secret in (self.secret, self.bystander):
            secret.write(self.disk, b"on disk")
        self.machine.store.mkdir(mode=0o700)
        self.machine.bind(self.disk, "/etc/libvirt/secrets")
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.log = EventLog(self.root)

    def assertServed(self) -> None:
        self.assertListed(self.root, self.secret, self.bystander)
        self.assertEqual(self.value_of(self.root, self.secret), b"on disk")
        self.assertEqual(self.log.take(), [])

    def test_an_unmounted_store_loses_nothing(self) -> None:
        self.machine.unmount("/etc/libvirt/secrets")
        self.daemon.reload()
        self.assertServed()

    def test_a_store_unmounted_over_other_definitions_loses_nothing(self) -> None:
        Secret(usage="below").write(self.machine.store, b"below the mount")
        self.machine.unmount("/etc/libvirt/secrets")
        self.daemon.reload()
        for secret in (self.secret, self.bystander):
            self.assertEqual(self.value_of(self.root, secret), b"on disk")

    def test_a_store_that_is_mounted_again_is_reloaded_as_before(self) -> None:
        self.machine.unmount("/etc/libvirt/secrets")
        self.daemon.reload()
        self.machine.bind(self.disk, "/etc/libvirt/secrets")
        self.daemon.reload()
        self.assertServed()
        write_value(self.secret.value_in(self.disk), b"rotated")
        self.daemon.reload()
        self.assertEqual(self.value_of(self.root, self.secret), b"rotated")
