# SPDX-License-Identifier: LGPL-2.1-or-later
"""One directory of secrets, to which processes come in different ways: who is kept away, and what a
daemon does in that time."""

import base64
import os
import signal
import subprocess
from pathlib import Path

import libvirt

from harness.case import SystemCase
from harness.daemon import Daemon
from harness.embedded import EmbeddedProcess
from harness.keyhold import Keyhold, StoreAssertions, wait_stopped
from harness.machine import User
from harness.sealed_files import KeyFile, secret_conf
from harness.secret_files import Secret, write_file
from harness.waiting import wait_for

WITHOUT_FLOCK = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock",
                 "-e", "inject=flock:error=EOPNOTSUPP")


class LockCase(SystemCase, StoreAssertions):
    def program(self, before: tuple[str, ...] = ()) -> EmbeddedProcess:
        process = EmbeddedProcess(self.machine, before)
        self.addCleanup(process.close)
        return process

    def abandoned_by(self, program: EmbeddedProcess) -> int:
        """A child of the program that goes on without it."""
        child = int(program("abandon"))

        def end() -> None:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.addCleanup(end)
        return child

    def definition(self, secret: Secret) -> Path:
        path = self.machine.home / f"{secret.uuid}.definition"
        write_file(path, secret.xml, 0o644)
        return path

    def assertProgramRefused(self, program: EmbeddedProcess, root: Path, store: Path, pid: int) -> None:
        """Its open, naming the directory and the process that has it."""
        with self.assertRaises(AssertionError) as raised:
            program("open", uri_of(root))
        for words in (f"cannot lock directory '{store}', which is in use by ", f"(process {pid})",
                      "try again once that has ended"):
            self.assertIn(words, str(raised.exception))

    def assertReadsAlone(self, daemon: Daemon, secret: Secret, value: bytes, pid: int) -> None:
        """The daemon serves, and refuses changes by the name of the holder."""
        connection = daemon.open()
        self.assertEqual(self.value_of(connection, secret), value)
        handle = connection.secretLookupByUUIDString(secret.uuid)
        for change in (lambda: self.define(connection, Secret()), lambda: handle.setValue(b"new"),
                       handle.undefine):
            error = self.refusal(change)
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_SYSTEM_ERROR)
            self.assertIn(f"(process {pid}); try again once that has ended", str(error))
        self.assertEqual(self.value_of(connection, secret), value)
        self.define(connection, Secret(ephemeral=True), b"in memory")


def uri_of(root: Path) -> str:
    return f"secret:///embed?root={root}"


class OneUserTwoRuntimeDirectories(LockCase):
    """A user's session daemon, and what the same user starts from cron, su or another session."""

    def setUp(self) -> None:
        super().setUp()
        self.user = self.machine.one
        self.secret = Secret(usage="mine")
        self.secret.write(self.user.store, b"value")
        self.key = KeyFile.make(self.user.home / "key")
        write_file(self.user.store.parent / "secret.conf", secret_conf(key=self.key, seal_existing=1))
        self.user.owns(self.user.home / "key", self.user.store.parent, self.user.store,
                       *self.user.store.iterdir(), self.user.store.parent / "secret.conf")
        self.other = User(self.user.name, self.user.uid, self.user.home / "other")
        for directory in (self.other.home, self.other.home / "runtime", self.other.home / "cache"):
            directory.mkdir(mode=0o700)
            self.user.owns(directory)
        (self.other.home / "config").symlink_to("../config")
        self.keyhold = Keyhold(self.machine, self.other)

    def test_the_command_sees_the_daemon_and_works_through_it(self) -> None:
        daemon = self.start(user=self.user)
        staged = self.user.store / f"{self.secret.uuid}.base64.keyhold-new"
        write_file(staged, "of a change in progress")
        self.user.owns(staged)
        holder = self.keyhold.status()["holder"]
        self.assertEqual((holder["pid"], holder["driver"]), (daemon.pid, "keyhold"))
        self.assertIn(f"libvirtd (process {daemon.pid}), with Keyhold", self.keyhold.run("status").ok())
        self.keyhold.run("verify")
        self.assertEqual(self.keyhold.run("rekey").code, 0)
        self.assertTrue(staged.exists(), "what another process has begun was recovered")
        self.assertEqual(self.value_of(daemon.open(), self.secret), b"value")

    def test_the_command_alone_keeps_a_daemon_from_changes(self) -> None:
        pid = self.stopped_seal()
        daemon = self.start(user=self.user)
        self.assertReadsAlone(daemon, self.secret, b"value", pid)
        os.kill(pid, signal.SIGCONT)
        wait_for("the command ends", lambda: self.command.poll() is not None)
        self.assertEqual(self.command.returncode, 0)
        new = Secret(usage="new")
        self.define(daemon.open(), new, b"new")
        self.assertFormats(self.user.store, "jwe", 2)

    def stopped_seal(self) -> int:
        """A seal that is stopped once it has the locks."""
        state = self.other.runtime / "secrets/run"
        state.mkdir(parents=True)
        self.user.owns(state, state.parent, state.parent.parent)
        self.command = self.keyhold.start_stopped("seal", at_sync=2)
        self.addCleanup(self.command.wait)
        self.addCleanup(self.command.kill)
        return wait_stopped(state / "driver.pid")

    def test_a_second_daemon_reads_until_the_first_has_ended(self) -> None:
        first = self.start(user=self.user)
        second = self.start(user=self.other)
        self.assertReadsAlone(second, self.secret, b"value", first.pid)
        self.assertEqual(self.keyhold.status()["holder"]["pid"], first.pid)
        theirs = Secret(usage="of the first")
        self.define(first.open(), theirs, b"first")
        second.reload()
        self.assertEqual(self.value_of(second.open(), theirs), b"first")
        self.assertReadsAlone(second, self.secret, b"value", first.pid)

        first.kill()
        self.define(second.open(), Secret(usage="of the second"), b"second")
        self.assertReadsAlone(self.start(user=self.user), self.secret, b"value", second.pid)


class LinkedRoots(LockCase):
    """Embedded roots whose `etc` is somebody else's."""

    def setUp(self) -> None:
        super().setUp()
        self.secret = Secret(usage="kept")
        self.root = self.machine.home / "root"
        self.link = self.machine.home / "link"
        self.link.mkdir()

    def test_another_root(self) -> None:
        self.secret.write(self.root / "etc/secrets", b"value")
        (self.link / "etc").symlink_to(self.root / "etc")
        first, second = self.program(), self.program()
        first("open", uri_of(self.root))
        self.assertProgramRefused(second, self.link, self.link / "etc/secrets", first.pid)
        self.assertFalse((self.link / "run/secrets/driver.pid").exists())
        status = Keyhold(self.machine).status("--root", str(self.link))
        self.assertEqual(status["holder"]["pid"], first.pid)
        first("close")
        second("open", uri_of(self.link))
        second("undefine", self.secret.uuid)

    def test_another_root_of_the_same_process(self) -> None:
        """It is one store for that process, with one lock, as with the same root twice."""
        self.secret.write(self.root / "etc/secrets", b"value")
        (self.link / "etc").symlink_to(self.root / "etc")
        program = self.program()
        program("open", uri_of(self.root))
        program("open", uri_of(self.link))
        self.assertProgramRefused(self.program(), self.link, self.link / "etc/secrets", program.pid)
        program("undefine", self.secret.uuid)
        self.assertFalse((self.link / "run/secrets/driver.pid").exists())

    def test_the_system(self) -> None:
        self.secret.write(self.machine.store, b"value")
        Secret(usage="stays").write(self.machine.store, b"value")
        (self.link / "etc").symlink_to("/etc/libvirt")
        program = self.program()
        program("open", uri_of(self.link))
        daemon = self.start()
        self.assertReadsAlone(daemon, self.secret, b"value", program.pid)
        for command in ("seal", "rekey", "unseal"):
            write_file(self.machine.etc / "secret.conf", "")
            result = Keyhold(self.machine).run(command)
            self.assertEqual(result.code, 2)
        self.assertIn("is no daemon of libvirt's", Keyhold(self.machine).run("unseal").err)
        program("undefine", self.secret.uuid)
        program("close")
        new = Secret(usage="new")
        self.define(daemon.open(), new, b"new")
        self.assertNotIn(self.secret.uuid, self.uuids(daemon.open()))
        self.assertProgramRefused(program, self.link, self.link / "etc/secrets", daemon.pid)


class Roots(LockCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret = Secret(usage="kept")
        self.root = self.machine.home / "root"
        self.store = self.root / "etc/secrets"
        self.secret.write(self.store, b"value")

    def test_a_program_that_copies_its_root_keeps_it(self) -> None:
        program = self.program()
        program("open", uri_of(self.root))
        program("copy", self.root, self.machine.home / "copy")
        self.assertProgramRefused(self.program(), self.root, self.store, program.pid)
        program("undefine", self.secret.uuid)

    def test_a_child_that_outlives_a_killed_program(self) -> None:
        program = self.program()
        program("open", uri_of(self.root))
        child = self.abandoned_by(program)
        program.close()
        with self.assertRaises(AssertionError) as raised:
            self.program()("open", uri_of(self.root))
        self.assertIn(f"in use by abandoned (process {child})", str(raised.exception))
        os.kill(child, signal.SIGKILL)
        self.program()("open", uri_of(self.root))

    def test_a_child_that_outlives_a_program_that_has_closed_its_root(self) -> None:
        program = self.program()
        program("open", uri_of(self.root))
        self.abandoned_by(program)
        program("close")
        self.program()("open", uri_of(self.root))

    def test_a_daemon_starts_beside_such_a_child(self) -> None:
        self.secret.write(self.machine.store, b"value")
        link = self.machine.home / "link"
        link.mkdir()
        (link / "etc").symlink_to("/etc/libvirt")
        program = self.program()
        program("open", uri_of(link))
        child = self.abandoned_by(program)
        program.close()
        daemon = self.start()
        self.assertReadsAlone(daemon, self.secret, b"value", child)
        os.kill(child, signal.SIGKILL)
        wait_for("the child ends", lambda: not Path(f"/proc/{child}").exists())
        self.define(daemon.open(), Secret(usage="new"), b"new")

    def test_a_tool_that_has_the_directory_for_a_moment(self) -> None:
        tool = self.machine.popen("flock", str(self.store), "sh", "-c", "echo held; exec sleep 1",
                                  stdout=subprocess.PIPE)
        self.addCleanup(tool.communicate)
        assert tool.stdout is not None
        self.assertEqual(tool.stdout.readline(), b"held\n")
        program = self.program()
        program("open", uri_of(self.root))
        self.assertIsNotNone(tool.poll())
        program("undefine", self.secret.uuid)

    def test_a_file_system_without_such_locks(self) -> None:
        program = self.program(WITHOUT_FLOCK)
        program("open", uri_of(self.root))
        program("define", self.definition(Secret(usage="new")))
        log = program.log_file.read_text()
        self.assertEqual(log.count(f"cannot lock directory '{self.store}': Operation not supported"), 1)
        # the lock of the stock driver is as it was
        with self.assertRaisesRegex(AssertionError, "Failed to acquire pid file"):
            self.program()("open", uri_of(self.root))

    def test_a_daemon_on_a_file_system_without_such_locks(self) -> None:
        daemon = self.start(before=WITHOUT_FLOCK)
        self.define(daemon.open(), self.secret, b"value")
        self.assertLogNames(daemon, "cannot lock directory '/etc/libvirt/secrets'", "not supported")

    def test_a_full_disk(self) -> None:
        self.machine.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(self.root)).ok()
        files = {f"{self.secret.uuid}.xml": self.secret.xml.encode(),
                 f"{self.secret.uuid}.base64": base64.b64encode(b"value")}
        self.machine.run("mkdir", "-p", str(self.store), str(self.root / "run/secrets")).ok()
        for name, content in files.items():
            self.machine.run("sh", "-c", f"cat >'{self.store / name}'", stdin=content).ok()
        filling = self.machine.run("dd", "if=/dev/zero", f"of={self.root}/rest", "bs=4096", "count=100")
        self.assertIn("No space left on device", filling.err)
        program = self.program()
        program("open", uri_of(self.root))
        out = self.machine.home / "value"
        program("get", self.secret.uuid, out)
        self.assertEqual(out.read_bytes(), b"value")
        with self.assertRaisesRegex(AssertionError, "Failed to acquire pid file"):
            self.program()("open", uri_of(self.root))
        with self.assertRaisesRegex(AssertionError, "No space left on device"):
            program("define", self.definition(Secret(usage="new")))

    def test_the_holder_is_named_on_btrfs(self) -> None:
        """Whose subvolumes have devices of their own, which /proc/locks does not show."""
        image, disk = self.machine.home / "btrfs", self.machine.home / "disk"
        disk.mkdir()
        with image.open("wb") as file:
            file.truncate(128 << 20)
        self.machine.run("mkfs.btrfs", "-q", str(image)).ok()
        self.machine.run("mount", "-o", "loop", str(image), str(disk)).ok()
        self.addCleanup(self.machine.unmount, str(disk))
        self.machine.run("btrfs", "subvolume", "create", str(disk / "root")).ok()
        program = self.program()
        self.addCleanup(program.close)
        program("open", uri_of(disk / "root"))
        program("copy", disk / "root", self.machine.home / "copy")
        self.assertProgramRefused(self.program(), disk / "root", disk / "root/etc/secrets", program.pid)
