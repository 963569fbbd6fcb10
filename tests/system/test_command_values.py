# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold set and get: through a daemon, a session daemon and an embedded root, and on a terminal."""

import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
from typing import Any

from harness.command_case import CommandCase
from harness.keyhold import Keyhold
from harness.machine import Result
from harness.sealed_files import KeyFile, secret_conf
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import MODULE_NAME, installed_driver_dir, settings
from harness.traces import Marker

LARGEST = bytes(range(256)) * 256


class ValueCase(CommandCase):
    def run_with(self, stdin: bytes, *arguments: str, **options: Any) -> Result:
        return self.machine.run(settings().command, *arguments, stdin=stdin, **options)

    def revealed(self, *arguments: str, **options: Any) -> bytes:
        result = self.machine.run(settings().command, "get", *arguments, "--reveal", **options)
        self.assertEqual(result.code, 0, result.err)
        return result.raw


class ThroughADaemon(ValueCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure()
        self.daemon = self.start()
        self.secret = self.secrets[0]

    def test_the_largest_value_of_all_bytes_goes_in_and_comes_out(self) -> None:
        self.assertEqual(len(LARGEST), 65536)
        said = self.run_with(LARGEST, "set", self.secret.uuid)
        self.assertIn(f"sealed with key {self.key.id}", said.ok())
        self.assertEqual(self.value_of(self.daemon.open(), self.secret), LARGEST)
        self.assertEqual(self.revealed(f"ceph:{self.secret.usage}"), LARGEST)

    def test_what_comes_is_taken_as_it_is(self) -> None:
        for value in (b"line\n", b"\n", b"\0", b"dmFsdWU="):
            self.run_with(value, "set", self.secret.uuid).ok()
            self.assertEqual(self.revealed(self.secret.uuid), value)

    def test_a_byte_too_many_and_none_at_all_are_refused(self) -> None:
        for value, word in ((LARGEST + b"x", "65536 bytes"), (b"", "is empty")):
            self.assertIn(word, self.run_with(value, "set", self.secret.uuid).failed())
        self.assertEqual(self.revealed(self.secret.uuid), self.values[0])

    def test_a_value_is_not_shown_without_being_asked_for(self) -> None:
        result = self.run_with(b"", "get", self.secret.uuid)
        self.assertEqual((result.code, result.raw), (2, b""))
        self.assertIn("give --reveal", result.err)

    def test_nothing_takes_the_place_of_a_stream_that_is_closed(self) -> None:
        self.run_with(b"value", "set", self.secret.uuid).ok()
        for command, stream in (("get --reveal", ">&-"), ("set", "<&-")):
            closed = self.machine.run("sh", "-c", f'exec "$0" {command} "$1" {stream}', settings().command,
                                      self.secret.uuid)
            self.assertIn("Bad file descriptor", closed.failed())
        self.assertEqual(self.revealed(self.secret.uuid), b"value")

    def test_a_secret_that_is_not_there_names_the_remedy(self) -> None:
        self.assertIn("--define", self.run_with(b"x", "set", "ceph:none").failed())
        self.assertIn("keyhold list", self.run_with(b"", "get", "ceph:none", "--reveal").failed())
        self.assertIn("TYPE:ID", self.run_with(b"x", "set", "cehp:none").failed())

    def test_an_argument_that_could_be_the_value_is_not_repeated(self) -> None:
        for words in (["MyValue"], ["--MyValue"], ["-MyValue"], ["--define=MyValue"], ["--json=MyValue"],
                      ["--define", "MyValue"], ["--", "MyValue"], ["MyValue", "--json"]):
            result = self.run_with(b"", "set", self.secret.uuid, *words)
            self.assertEqual(result.code, 2)
            self.assertNotIn("MyValue", result.out + result.err, words)
            self.assertIn("standard input", result.out + result.err, words)
        self.assertIn("did you mean '--define'", self.run_with(b"", "set", "ceph:a", "--defin").failed())

    def test_a_secret_is_made_with_its_value(self) -> None:
        wanted = Secret(usage="client.nova secret", description="of nova", private=True)
        options = ["set", "ceph:client.nova secret", "--define", "--uuid", wanted.uuid,
                   "--description", "of nova", "--private"]
        self.run_with(b"value", *options).ok()
        connection = self.daemon.open()
        self.assertEqual(connection.secretLookupByUUIDString(wanted.uuid).XMLDesc(), wanted.xml)
        self.run_with(b"again", *options).ok()
        self.assertIn("private secret to its own drivers",
                      self.run_with(b"", "get", wanted.uuid, "--reveal").failed())
        self.assertIn("with another --uuid", self.run_with(
            b"x", *options[:4], self.secret.uuid).failed())

    def test_a_secret_that_was_made_for_a_refused_value_is_gone(self) -> None:
        self.key.path.unlink()
        self.daemon.reload()
        before = self.uuids(self.daemon.open())
        self.assertIn(str(self.key.path), self.run_with(b"x", "set", "ceph:new", "--define").failed())
        self.assertEqual(self.uuids(self.daemon.open()), before)

    def test_no_file_and_no_log_holds_the_value(self) -> None:
        marker = Marker()
        self.run_with(marker.value, "set", self.secret.uuid).ok()
        needles = [piece for pieces in marker.pieces().values() for piece in pieces]
        for path in [*self.store.iterdir(), self.daemon.log_file]:
            for needle in needles:
                self.assertNotIn(needle, path.read_bytes(), path)

    def test_without_a_daemon_the_remedy_is_named(self) -> None:
        self.daemon.stop()
        self.assertIn("start libvirtd", self.run_with(b"x", "set", self.secret.uuid).failed())


class OnATerminal(ValueCase):
    COUNT = 1

    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.secret = self.secrets[0]
        self.screen, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.screen)
        self.addCleanup(os.close, self.terminal)
        self.shown = b""

    def start_command(self, *arguments: str) -> "subprocess.Popen[bytes]":
        process = self.machine.popen(settings().command, *arguments, stdin=self.terminal,
                                     stdout=self.terminal, stderr=self.terminal)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def see(self, text: bytes) -> None:
        end = time.monotonic() + settings().patience
        while text not in self.shown:
            self.assertLess(time.monotonic(), end, self.shown)
            if select.select([self.screen], [], [], 0.1)[0]:
                self.shown += os.read(self.screen, 65536)

    def ended(self, process: "subprocess.Popen[bytes]") -> int:
        code = process.wait(settings().patience)
        while select.select([self.screen], [], [], 0)[0]:
            self.shown += os.read(self.screen, 65536)
        return code

    def typed(self, first: bytes, second: bytes) -> int:
        process = self.start_command("set", self.secret.uuid)
        self.see(b"Value: ")
        os.write(self.screen, first)
        self.see(b"again: ")
        os.write(self.screen, second)
        return self.ended(process)

    def value(self) -> bytes:
        return self.value_of(self.daemon.open(), self.secret)

    def test_a_value_is_asked_for_twice_and_not_shown(self) -> None:
        self.assertEqual(self.typed(b"wrongest\x7f\x7f\x7fpass\r", b"wrongpass\r"), 0)
        self.assertEqual(self.value(), b"wrongpass")
        self.assertNotIn(b"pass", self.shown)

    def test_a_line_may_be_longer_than_the_kernel_takes_for_one(self) -> None:
        long = b"0123456789abcdef" * 1000
        self.assertEqual(self.typed(long + b"\n", long + b"\n"), 0)
        self.assertEqual(self.value(), long)

    def test_two_that_differ_set_nothing(self) -> None:
        self.assertEqual(self.typed(b"one\r", b"two\r"), 2)
        self.assertIn(b"the two differ", self.shown)
        self.assertEqual(self.value(), self.values[0])

    def test_an_interrupt_leaves_the_terminal_as_it_was(self) -> None:
        before = termios.tcgetattr(self.terminal)
        for how in ("key", "signal"):
            self.shown = b""
            process = self.start_command("set", self.secret.uuid)
            self.see(b"Value: ")
            if how == "key":
                os.write(self.screen, b"half\x03")
            else:
                os.kill(process.pid, signal.SIGTERM)
            self.assertEqual(self.ended(process), 2)
            self.assertEqual(termios.tcgetattr(self.terminal), before)
        self.assertEqual(self.value(), self.values[0])

    def test_a_value_on_a_terminal_ends_with_its_line(self) -> None:
        self.assertEqual(self.ended(self.start_command("get", self.secret.uuid, "--reveal")), 0)
        self.assertIn(self.values[0] + b"\r\n", self.shown)

    def test_bytes_that_may_act_on_a_terminal_are_not_written_there(self) -> None:
        self.run_with(b"\x1b[2J", "set", self.secret.uuid).ok()
        self.assertEqual(self.ended(self.start_command("get", self.secret.uuid, "--reveal")), 2)
        self.assertNotIn(b"\x1b[2J", self.shown)
        self.assertIn(b"pipe it", self.shown)


class OtherInstances(ValueCase):
    def test_an_embedded_root_that_nobody_has_open(self) -> None:
        root = self.machine.home / "a root & more"
        secret = Secret(usage="embedded")
        secret.write(root / "etc/secrets")
        write_file(root / "etc/secret.conf", secret_conf(key=self.key))
        env = {"LIBVIRT_DRIVER_DIR": settings().secret_only}
        said = self.run_with(LARGEST, "set", secret.uuid, "--root", str(root), env=env)
        self.assertIn("sealed with key", said.ok())
        self.assertFormats(root / "etc/secrets", "jwe", 1)
        self.assertEqual(self.revealed("ceph:embedded", "--root", str(root), env=env), LARGEST)
        missing = self.run_with(b"x", "set", secret.uuid, "--root", str(root) + "x", env=env)
        self.assertIn("there is no directory", missing.failed())
        self.assertFalse((self.machine.home / "a root & morex").exists())

    def test_an_embedded_root_whose_key_was_exchanged_is_left_alone(self) -> None:
        root = self.machine.home / "root"
        secret = Secret(usage="embedded")
        secret.write(root / "etc/secrets")
        env = {"LIBVIRT_DRIVER_DIR": settings().secret_only}
        key = self.machine.home / "key-of-root"
        self.keyhold.run("encrypt", "on", "--key", str(key), "--root", str(root)).ok()
        self.run_with(b"value", "set", secret.uuid, "--root", str(root), env=env).ok()
        before = snapshot(root / "etc/secrets")
        KeyFile.make(key)
        refused = self.run_with(b"other", "set", secret.uuid, "--root", str(root), env=env).failed()
        self.assertIn(f"'{key}' holds the key", refused)
        self.assertIn("put ", refused)
        self.assertEqual(snapshot(root / "etc/secrets"), before)

    def test_a_private_secret_of_an_embedded_root_is_called_that(self) -> None:
        root = self.machine.home / "root"
        secret = Secret(usage="embedded", private=True)
        secret.write(root / "etc/secrets", b"value")
        refused = self.run_with(b"", "get", "--reveal", secret.uuid, "--root", str(root),
                                env={"LIBVIRT_DRIVER_DIR": settings().secret_only}).failed()
        self.assertIn(f"'{secret.uuid}' is private; libvirt gives the value of a private secret to its own "
                      "drivers, and to no client", refused)

    def test_no_ephemeral_secret_of_an_embedded_root_is_made(self) -> None:
        root = self.machine.home / "root"
        (root / "etc/secrets").mkdir(parents=True)
        refused = self.run_with(b"x", "set", "ceph:e", "--define", "--ephemeral", "--root", str(root),
                                env={"LIBVIRT_DRIVER_DIR": settings().secret_only})
        self.assertIn("leave --ephemeral out", refused.failed())

    def test_an_embedded_root_is_left_to_no_other_driver_and_to_no_other_process(self) -> None:
        root = self.machine.home / "root"
        secret = Secret(usage="embedded")
        secret.write(root / "etc/secrets", b"value")
        stock = self.machine.home / "stock"
        stock.mkdir()
        shutil.copy(installed_driver_dir() / MODULE_NAME, stock)
        before = snapshot(root / "etc/secrets")
        refused = self.run_with(b"x", "set", secret.uuid, "--root", str(root),
                                env={"LIBVIRT_DRIVER_DIR": str(stock)})
        self.assertIn("its own secret driver here, and not Keyhold", refused.failed())
        directory = os.open(root / "etc/secrets", os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            refused = self.run_with(b"x", "set", secret.uuid, "--root", str(root),
                                    env={"LIBVIRT_DRIVER_DIR": settings().secret_only})
        finally:
            os.close(directory)
        self.assertIn(f"(process {os.getpid()}); end it first", refused.failed())
        self.assertEqual(snapshot(root / "etc/secrets"), before)

    def test_the_session_of_a_user(self) -> None:
        user = self.machine.one
        daemon = self.start(user=user)
        said = self.run_with(b"value", "set", "volume:/disk", "--define", user=user)
        self.assertIn("in plain", said.ok())
        self.assertEqual(self.revealed("volume:/disk", user=user), b"value")
        self.assertEqual(len(daemon.open().listAllSecrets()), 1)

    def test_a_look_starts_no_session_daemon(self) -> None:
        user = self.machine.one
        secret = Secret()
        secret.write(user.store, b"value")
        user.owns(user.store.parent, user.store, *user.store.iterdir())
        keyhold = Keyhold(self.machine, user)
        self.assertIn("no process has them open", keyhold.run("list").err)
        self.assertEqual(keyhold.run("show", secret.uuid).code, 0)
        self.assertEqual(keyhold.run("used-by").code, 2)
        self.assertFalse((user.runtime / "libvirt-sock").exists())
