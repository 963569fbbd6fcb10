# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold encrypt: keys that are not there, keys that an interrupted run made, and what it leaves in plain."""

import os
import re
import signal
import subprocess
from pathlib import Path

from harness.encrypt_case import EncryptCase
from harness.sealed_files import KeyFile, sealed_in, secret_conf
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import settings
from harness.waiting import wait_for


class KeysThatAreNotThere(EncryptCase):
    """Where the file systems of the key and of the store are not mounted, nothing is there that a key opens."""

    def hide(self, *directories: Path | str) -> None:
        for directory in directories:
            self.machine.run("mount", "-t", "tmpfs", "-o", "mode=0700", "none", str(directory)).ok()
            self.addCleanup(self.machine.run, "umount", str(directory))

    def show(self, *directories: Path | str) -> None:
        for directory in directories:
            self.machine.unmount(str(directory))

    def assertNoKeyIsMade(self, *words: str) -> None:
        for command in (("encrypt", "on"), ("encrypt", "on", "--key", str(self.first)), ("key", "generate")):
            result = self.keyhold.run(*command)
            self.assertEqual(result.code, 2, command)
            for word in (*words, str(self.first), "nothing is there", "mount the file system"):
                self.assertIn(word, result.err, command)
        self.assertEqual(self.machine.run("ls", "-A", str(self.keys)).ok(), "")

    def test_the_settings_have_a_note_of_it(self) -> None:
        self.on()
        before = self.conf.read_text()
        self.hide(self.keys, "/etc/libvirt/secrets")
        self.assertNoKeyIsMade(self.key_at(self.first).id, "# keyhold: ")
        self.assertEqual(self.keyhold.run("encrypt", "rotate", "--key", str(self.second)).code, 2)
        self.assertEqual(self.machine.run("ls", "-A", str(self.keys)).ok(), "")
        self.show(self.keys, "/etc/libvirt/secrets")
        self.assertEqual(self.conf.read_text(), before)
        self.assertFalse(self.on()["key"]["made"])

    def test_the_note_can_be_taken_out(self) -> None:
        self.on()
        self.keyhold.run("encrypt", "off").ok()
        self.first.unlink()
        self.assertIn("lost for good", self.refused("on"))
        write_file(self.conf, re.sub(" # keyhold: .*", "", self.conf.read_text()))
        self.assertTrue(self.keyhold.json("encrypt", "on")["key"]["made"])
        self.assertSealedUnder(self.first)

    def test_a_daemon_has_it(self) -> None:
        self.keys.mkdir()
        key = KeyFile.make(self.first)
        write_file(self.conf, secret_conf(key=key))
        self.begin()
        self.hide(self.keys)
        for path in self.store.glob("*.base64"):
            path.unlink()
        self.assertNoKeyIsMade(key.id, f"libvirtd (process {self.daemon.pid})")


    def add_under_another_key(self) -> Secret:
        secret, settings_text, away = Secret(usage="of another key"), self.conf.read_text(), self.machine.home / "away"
        self.store.rename(away)
        secret.write(self.store, b"value")
        self.configure(self.other_key)
        self.keyhold.run("seal").ok()
        for path in self.store.iterdir():
            path.rename(away / path.name)
        self.store.rmdir()
        away.rename(self.store)
        write_file(self.conf, settings_text)
        return secret

    def assertOffChangesNothing(self) -> list[str]:
        """The lines of what it says, without the name of the program."""
        before = snapshot(self.store)
        lines = self.refused("off").splitlines()
        self.assertEqual(snapshot(self.store), before)
        return [line.removeprefix("keyhold: ") for line in lines]

    def test_off_changes_nothing_and_says_so_in_a_line_a_key(self) -> None:
        self.on()
        first = self.key_at(self.first)
        other = self.add_under_another_key()
        self.first.rename(self.keys / "away")
        one, many = sorted(self.assertOffChangesNothing())
        self.assertRegex(one, rf"\A'\S+{other.uuid}\.jwe' is sealed with key '{self.other_key.id}', which is not")
        self.assertRegex(many, rf"\A{self.COUNT} values, such as '\S+\.jwe': each is sealed with key '{first.id}', "
                               rf".*'{self.first}': No such file or directory; put the key back .*")
        self.assertRegex(self.keyhold.run("encrypt", "off").err, r"; then run this again; nothing was changed\n\Z")
        (self.keys / "away").rename(self.first)
        [line] = self.assertOffChangesNothing()
        self.assertIn(self.other_key.id, line)
        other.xml_in(self.store).unlink()
        sealed_in(self.store, other).unlink()
        self.keyhold.run("encrypt", "off").ok()
        self.assertFormats(self.store, "base64", self.COUNT)

    def test_off_beside_a_daemon_that_has_the_key(self) -> None:
        self.on()
        self.begin()
        self.first.rename(self.keys / "away")
        [line] = self.assertOffChangesNothing()
        self.assertTrue(line.startswith(f"{self.COUNT} values, such as '"), line)
        self.assertServed()


class KeysThatAreExchanged(EncryptCase):
    """The file of the current key holds another key than it did."""

    def setUp(self) -> None:
        super().setUp()
        self.on()
        self.right = self.key_at(self.first)
        self.first.write_bytes(os.urandom(32))
        self.wrong = self.key_at(self.first)

    def assertRefused(self, *words: str) -> None:
        before = snapshot(self.etc), snapshot(self.keys)
        for command in ("encrypt on", "encrypt rotate", f"encrypt rotate --key {self.second}", "seal", "rekey"):
            result = self.keyhold.run(*command.split())
            self.assertEqual(result.code, 2, command)
            for word in (*words, f"'{self.first}' holds the key {self.wrong.id}", f"put {self.right.id} back"):
                self.assertIn(word, result.err, command)
        self.assertEqual((snapshot(self.etc), snapshot(self.keys)), before)

    def assertCheckHasOneLine(self) -> str:
        result = self.keyhold.run("check")
        self.assertEqual(result.code, 2)
        self.assertNotIn("reload it", result.out)
        [line] = [line for line in result.out.splitlines() if "critical: " in line]
        self.assertIn("critical: missing-key: ", line)
        self.assertIn(f"'{self.first}' holds the key {self.wrong.id}", line)
        return line

    def take_note_out(self) -> None:
        write_file(self.conf, re.sub(" # keyhold: .*", "", self.conf.read_text()))

    def test_the_settings_have_a_note_of_it(self) -> None:
        self.assertRefused(f"'/etc/libvirt/secret.conf' says {self.right.id}")
        self.assertCheckHasOneLine()

    def test_the_values_need_it(self) -> None:
        self.take_note_out()
        self.assertRefused(f"{self.COUNT} values need {self.right.id}")
        self.assertIn("secrets_decryption_keys", self.assertCheckHasOneLine())
        self.first.write_bytes(self.right.raw)
        self.assertEqual(self.on()["findings"], [])

    def test_no_value_needs_it(self) -> None:
        for path in self.store.glob("*.jwe"):
            path.unlink()
        self.assertRefused("take out that comment")
        self.assertCheckHasOneLine()
        self.take_note_out()
        self.assertEqual(self.on()["key"]["id"], self.wrong.id)

    def test_it_is_given_and_the_other_one_is_meant(self) -> None:
        former = self.keys / "former.key"
        former.write_bytes(self.right.raw)
        former.chmod(0o600)
        self.assertEqual(self.keyhold.json("rekey", "--key", str(former))["converted"], self.COUNT)
        self.assertEqual(self.on()["key"]["id"], self.wrong.id)

    def test_a_daemon_has_it(self) -> None:
        self.first.write_bytes(self.right.raw)
        self.begin()
        self.first.write_bytes(self.wrong.raw)
        self.assertRefused("do not reload the daemon before")
        self.assertIn("do not reload the daemon before", self.assertCheckHasOneLine())
        self.assertServed()


class AFirstRunThatWasKilled(EncryptCase):
    """Once it had made its key, before it could say that a copy is due."""

    def test_the_next_one_clears_up_and_says_so(self) -> None:
        for call, number in (("unlinkat", 1), ("renameat", 1), ("renameat", 2)):
            with self.subTest(call=call, number=number):
                process = self.machine.popen(
                    "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                    "-e", f"inject={call}:signal=KILL:when={number}", settings().command, "encrypt", "on",
                    "--key", str(self.first), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.assertNotIn(process.wait(settings().patience), (0, 2))
                made = self.first.read_bytes()
                done = self.on()
                self.assertFalse(done["key"]["made"])
                self.assertIn(f"keep a copy of '{self.first}'", "".join(done["advice"]))
                self.assertEqual([path.name for path in self.keys.iterdir()], ["first.key"])
                self.assertEqual(self.first.read_bytes(), made)
                self.assertNothingTemporary()
                self.assertNotIn("keep a copy", "".join(self.on()["advice"]))
                self.keyhold.run("encrypt", "off").ok()
                self.first.unlink()
                self.conf.unlink()


class ARotationThatWasKilled(EncryptCase):
    """Once it had its key, or was about to have it, and before the settings named that."""

    def setUp(self) -> None:
        super().setUp()
        self.on()

    def kill_at(self, call: str, number: int) -> None:
        process = self.machine.popen(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:signal=KILL:when={number}", settings().command, "encrypt", "rotate",
            "--key", str(self.second), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertNotIn(process.wait(settings().patience), (0, 2))
        self.assertSealedUnder(self.first)

    def test_goes_on_with_the_key_that_it_made(self) -> None:
        for call, number, has_key in (("linkat", 1, False), ("renameat", 2, True)):
            with self.subTest(call):
                self.kill_at(call, number)
                self.assertEqual(self.second.exists(), has_key)
                made = self.second.read_bytes() if has_key else None
                self.assertIn("not done yet", self.refused("rotate", "--key", str(self.keys / "third.key")))
                on = self.keyhold.json("encrypt", "on")
                self.assertIn(f"a rotation to '{self.second}' was interrupted", "".join(on["advice"]))

                done = self.keyhold.json("encrypt", "rotate")
                self.assertEqual(done["key"]["file"], str(self.second))
                self.assertEqual(done["key"]["made"], not has_key)
                self.assertIn(f"went on with the rotation to '{self.second}'", "".join(done["advice"]))
                self.assertIn(f"keep a copy of '{self.second}'", "".join(done["advice"]))
                self.assertSealedUnder(self.second)
                self.assertEqual({path.name for path in self.keys.iterdir()}, {"first.key", "second.key"})
                self.assertNothingTemporary()
                if made:
                    self.assertEqual(self.second.read_bytes(), made)
                write_file(self.conf, secret_conf(key=self.first, earlier=[self.key_at(self.second)]))
                self.keyhold.run("rekey").ok()
                self.second.unlink()
                write_file(self.conf, secret_conf(key=self.first))


class WhatStaysInPlain(EncryptCase):
    COUNT = 1

    def test_copies_are_named(self) -> None:
        value = self.secrets[0].value_in(self.store)
        endings = (".aside-1", ".bak", ".orig")
        for ending in endings:
            write_file(value.with_name(value.name + ending), value.read_bytes())
        out = self.keyhold.run("encrypt", "on", "--key", str(self.first)).ok()
        self.assertIn(f"plain-copy: '/etc/libvirt/secrets/{value.name}.aside-1' may hold a value in plain", out)
        self.assertIn(f"{value.name}.bak' and 1 more: may hold a value in plain", out)
        done = self.on()
        self.assertEqual({Path(each["file"]).name for each in done["findings"]},
                         {value.name + ending for ending in endings})
        self.assertEqual({each["kind"] for each in done["findings"]}, {"plain-copy"})
        for ending in endings:
            value.with_name(value.name + ending).unlink()
        self.assertEqual(self.on()["findings"], [])


class AValueThatCameInBetween(EncryptCase):
    COUNT = 0

    def test_is_sealed(self) -> None:
        """A client sets it after the look at the store, and before the daemon reads the settings."""
        self.begin()
        trace = self.machine.home / "trace"
        process = self.machine.popen(
            "strace", "-f", "-q", "-o", str(trace), "-e", "trace=pidfd_send_signal",
            "-e", "inject=pidfd_send_signal:retval=0:signal=STOP:when=1", settings().command, "encrypt", "on",
            "--key", str(self.first), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for("it is stopped", lambda: trace.exists() and "stopped by SIGSTOP" in trace.read_text())
        secret = Secret(usage="in between")
        self.define(self.connection, secret, b"value")
        self.assertTrue(secret.value_in(self.store).exists())
        os.kill(int(trace.read_text().split()[0]), signal.SIGCONT)
        self.assertEqual(process.wait(settings().patience), 0)
        self.assertFormats(self.store, "jwe", 1)
        self.assertEqual(self.value_of(self.connection, secret), b"value")


class SettingsThatHaveMoreThanAMode(EncryptCase):
    COUNT = 1

    def test_their_access_control_list_stays(self) -> None:
        self.machine.add_user("reader")
        write_file(self.conf, "# mine\n", 0o640)
        self.machine.run("setfacl", "-m", "u:reader:r", "/etc/libvirt/secret.conf").ok()
        os.setxattr(self.conf, "trusted.mine", b"a\0b")
        before = self.machine.run("getfacl", "-c", "/etc/libvirt/secret.conf").ok()
        self.assertIn("user:reader:r--", before)
        self.on()
        self.assertIn("secrets_encryption_key", self.conf.read_text())
        self.assertEqual(self.machine.run("getfacl", "-c", "/etc/libvirt/secret.conf").ok(), before)
        self.assertEqual(os.getxattr(self.conf, "trusted.mine"), b"a\0b")

    def test_an_attribute_that_cannot_be_kept(self) -> None:
        write_file(self.conf, "# mine\n")
        os.setxattr(self.conf, "trusted.mine", b"x")
        done = self.machine.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsetxattr", "-e",
                                "inject=fsetxattr:error=ENOSPC", settings().command, "encrypt", "on",
                                "--key", str(self.first))
        self.assertEqual(done.code, 2)
        self.assertIn("with its attribute 'trusted.mine': No space left on device", done.err)
        self.assertEqual(self.conf.read_text(), "# mine\n")
        self.assertEqual([path.name for path in self.etc.iterdir() if "keyhold" in path.name], [])
        self.on()
