# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon starts whatever is wrong with its store, its log names the cause, and the calls that need
what is missing say so. Only a live process that holds the lock stops it (test_system.py)."""

import os
from pathlib import Path

import libvirt

from harness.broken_store import DOES_NOT_START, BrokenStoreCase
from harness.case import stock_defect
from harness.daemon import Daemon
from harness.machine import User
from harness.secret_files import Secret

STORE, STATE = "/etc/libvirt/secrets", "/run/libvirt/secrets"


class BrokenStoreDirectory(BrokenStoreCase):
    def test_a_missing_directory_is_made(self) -> None:
        daemon = self.start()
        self.define(daemon.open(), self.secret)
        self.assertTrue(self.secret.xml_in(self.store).exists())

    @stock_defect(DOES_NOT_START)
    def test_a_missing_directory_that_cannot_be_made(self) -> None:
        self.machine.bind(self.machine.etc, "/etc/libvirt", readonly=True)
        daemon = self.start()
        self.assertLogNames(daemon, STORE, "Read-only file system")
        self.assertUnreadable(daemon, STORE, "Read-only file system")
        self.secret.write(self.store, b"value")
        self.machine.unmount("/etc/libvirt")
        self.assertServedOnceRepaired(daemon)

    @stock_defect(DOES_NOT_START)
    def test_a_file_in_its_place(self) -> None:
        self.store.write_text("not a directory")
        daemon = self.start()
        self.assertLogNames(daemon, STORE, "Not a directory")
        self.assertUnreadable(daemon, STORE, "Not a directory")
        self.assertEqual(self.store.read_text(), "not a directory")
        self.store.unlink()
        self.secret.write(self.store, b"value")
        self.assertServedOnceRepaired(daemon)

    @stock_defect(DOES_NOT_START)
    def test_a_dangling_link_in_its_place(self) -> None:
        self.store.symlink_to(self.machine.home / "elsewhere")
        daemon = self.start()
        self.assertLogNames(daemon, STORE)
        self.assertUnreadable(daemon, STORE)
        self.secret.write(self.machine.home / "elsewhere", b"value")
        self.assertServedOnceRepaired(daemon)

    @stock_defect(DOES_NOT_START)
    def test_a_link_to_itself_in_its_place(self) -> None:
        self.store.symlink_to(self.store.name)
        daemon = self.start()
        self.assertLogNames(daemon, STORE)
        self.assertUnreadable(daemon, STORE)

    def test_a_link_to_a_directory_in_its_place_is_followed(self) -> None:
        elsewhere = self.machine.home / "elsewhere"
        self.secret.write(elsewhere, b"value")
        self.store.symlink_to(elsewhere)
        root = self.start().open()
        self.assertEqual(self.value_of(root, self.secret), b"value")
        new = Secret(usage="new")
        self.define(root, new)
        self.assertTrue(new.xml_in(elsewhere).exists())

    def test_a_read_only_file_system_serves_what_it_holds_and_changes_nothing(self) -> None:
        self.secret.write(self.store, b"value")
        self.machine.bind(self.store, STORE, readonly=True)
        daemon = self.start()
        root = daemon.open()
        self.assertEqual(self.value_of(root, self.secret), b"value")
        self.assertCannotDefine(daemon, "Read-only file system")
        handle = root.secretLookupByUUIDString(self.secret.uuid)
        changed = Secret(self.secret.uuid, "on disk", description="changed")
        for call in (lambda: handle.setValue(b"other"), handle.undefine,
                     lambda: root.secretDefineXML(changed.xml)):
            self.assertIn("Read-only file system", str(self.refusal(call)))
        self.assertEqual(handle.XMLDesc(), self.secret.xml)
        self.assertEqual(handle.value(), b"value")
        self.assertServesTheRest(daemon)

    @stock_defect("was not refused")
    def test_on_a_read_only_file_system_no_secret_becomes_ephemeral(self) -> None:
        self.secret.write(self.store, b"value")
        self.machine.bind(self.store, STORE, readonly=True)
        root = self.start().open()
        passing = Secret(self.secret.uuid, "on disk", ephemeral=True)
        self.assertIn("Read-only file system", str(self.refusal(root.secretDefineXML, passing.xml)))
        self.assertEqual(root.secretLookupByUUIDString(passing.uuid).XMLDesc(), self.secret.xml)

    def test_a_full_file_system_refuses_and_keeps_the_old(self) -> None:
        self.store.mkdir()
        self.machine.run("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", STORE).ok()
        daemon = self.start()
        root = daemon.open()
        self.define(root, self.secret, b"old")
        self.machine.run("sh", "-c", f"cat /dev/zero > {STORE}/filler").failed()
        handle = root.secretLookupByUUIDString(self.secret.uuid)
        self.assertIn("No space left on device", str(self.refusal(handle.setValue, b"n" * 8192)))
        self.assertEqual(handle.value(), b"old")
        self.assertCannotDefine(daemon, "No space left on device")
        self.machine.run("rm", f"{STORE}/filler").ok()
        handle.setValue(b"new")
        files = set(self.machine.run("ls", "-A", STORE).ok().split())
        self.assertEqual(files, {f"{self.secret.uuid}.xml", f"{self.secret.uuid}.base64"})
        handle.undefine()


class BrokenStateDirectory(BrokenStoreCase):
    """Without its lock a store may be another daemon's too: it is read and not written."""

    def assertReadsAndDoesNotWrite(self, daemon: Daemon, *words: str) -> None:
        self.assertEqual(self.value_of(daemon.open(), self.secret), b"value")
        self.assertCannotDefine(daemon, *words)
        self.assertServesTheRest(daemon)

    def setUp(self) -> None:
        super().setUp()
        self.secret.write(self.store, b"value")

    @stock_defect(DOES_NOT_START)
    def test_a_read_only_directory(self) -> None:
        self.machine.state.mkdir()
        self.machine.bind(self.machine.state, STATE, readonly=True)
        daemon = self.start()
        self.assertLogNames(daemon, STATE, "Read-only file system")
        self.assertReadsAndDoesNotWrite(daemon, STATE)
        self.machine.unmount(STATE)
        self.assertServedOnceRepaired(daemon)

    @stock_defect(DOES_NOT_START)
    def test_a_file_in_its_place(self) -> None:
        self.machine.state.write_text("not a directory")
        daemon = self.start()
        self.assertLogNames(daemon, STATE)
        self.assertReadsAndDoesNotWrite(daemon, STATE)

    @stock_defect(DOES_NOT_START)
    def test_a_directory_in_place_of_the_lock_file(self) -> None:
        (self.machine.state / "driver.pid").mkdir(parents=True)
        daemon = self.start()
        self.assertLogNames(daemon, f"{STATE}/driver.pid")
        self.assertReadsAndDoesNotWrite(daemon, "driver.pid")
        (self.machine.state / "driver.pid").rmdir()
        self.assertServedOnceRepaired(daemon)


class BrokenSettings(BrokenStoreCase):
    def test_garbage_in_secret_conf(self) -> None:
        self.secret.write(self.store, b"value")
        (self.machine.etc / "secret.conf").write_text("= = garbage\n")
        daemon = self.start()
        self.assertEqual(self.value_of(daemon.open(), self.secret), b"value")
        self.assertServesTheRest(daemon)

    def test_secret_conf_is_a_directory(self) -> None:
        self.secret.write(self.store, b"value")
        (self.machine.etc / "secret.conf").mkdir()
        self.assertServesTheRest(self.start())


class SessionInstanceThatCannotServe(BrokenStoreCase):
    """What root is exempt from: permissions and resource limits."""

    user: User

    def setUp(self) -> None:
        super().setUp()
        self.user = self.machine.one
        self.store = self.user.store
        self.secret.write(self.store, b"value")
        self.user.owns(self.store.parent, self.store, *self.store.iterdir())

    @stock_defect(DOES_NOT_START)
    def test_a_store_that_cannot_be_read(self) -> None:
        self.store.chmod(0o000)
        daemon = self.start(user=self.user)
        self.assertLogNames(daemon, str(self.store), "Permission denied")
        self.assertUnreadable(daemon, str(self.store), "Permission denied")
        self.assertEqual(self.store.stat().st_mode & 0o7777, 0o000)
        self.store.chmod(0o700)
        self.assertServedOnceRepaired(daemon)

    def test_a_store_that_cannot_be_written(self) -> None:
        self.store.chmod(0o500)
        daemon = self.start(user=self.user)
        self.assertEqual(self.value_of(daemon.open(), self.secret), b"value")
        self.assertCannotDefine(daemon, "Permission denied")
        self.assertServesTheRest(daemon)

    @stock_defect(DOES_NOT_START)
    def test_a_parent_that_cannot_be_entered(self) -> None:
        self.store.parent.chmod(0o000)
        daemon = self.start(user=self.user)
        self.assertLogNames(daemon, str(self.store), "Permission denied")
        self.assertUnreadable(daemon, str(self.store), "Permission denied")
        self.store.parent.chmod(0o700)
        self.assertServedOnceRepaired(daemon)

    @stock_defect("Secret not found")
    def test_a_value_that_cannot_be_read(self) -> None:
        self.secret.value_in(self.store).chmod(0o000)
        daemon = self.start(user=self.user)
        error = self.refusal(self.value_of, daemon.open(), self.secret)
        self.assertNotEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET, str(error))
        self.assertIn(self.secret.value_in(self.store).name, str(error))
        self.assertLogNames(daemon, self.secret.value_in(self.store).name, "Permission denied")

    def test_no_memory_may_be_locked(self) -> None:
        daemon = self.start(user=self.user, before=("prlimit", "--memlock=0:0"))
        limits = Path(f"/proc/{daemon.pid}/limits").read_text().splitlines()
        self.assertIn(["Max", "locked", "memory", "0", "0", "bytes"], [line.split() for line in limits])
        root = daemon.open()
        self.assertEqual(self.value_of(root, self.secret), b"value")
        new = Secret(usage="new")
        self.define(root, new, os.urandom(65536))
        self.assertEqual(len(self.value_of(root, new)), 65536)

    def test_no_thread_can_be_made(self) -> None:
        for number in range(300):
            Secret(usage=f"many {number}").write(self.store, b"value")
        self.user.owns(*self.store.iterdir())
        threads = self.threads_of_a_daemon_without_modules()
        daemon = self.start(user=self.user, before=("prlimit", f"--nproc={threads}:{threads}"))
        root = daemon.open()
        self.assertEqual(root.numOfSecrets(), 301)
        self.assertEqual(self.value_of(root, self.secret), b"value")
        daemon.reload()
        self.assertEqual(root.numOfSecrets(), 301)
        self.assertEqual(daemon.stop(), 0)

    def threads_of_a_daemon_without_modules(self) -> int:
        """The lowest RLIMIT_NPROC under which libvirtd starts with no driver at all: under the same
        limit a driver has no thread to itself."""
        empty = self.machine.home / "no-modules"
        empty.mkdir(mode=0o755)
        starts = 64
        fails = 1
        while starts - fails > 1:
            limit = (starts + fails) // 2
            daemon = self.launch(user=self.machine.two, driver_dir=str(empty),
                                 before=("prlimit", f"--nproc={limit}:{limit}"))
            try:
                daemon.answers()
                starts = limit
            except AssertionError:
                fails = limit
            daemon.close()
        return starts
