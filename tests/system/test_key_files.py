# SPDX-License-Identifier: LGPL-2.1-or-later
"""Key files and secret.conf in every state in which operators leave them. Whatever it is, the daemon
starts, definitions are listed, values that need no key are served, and what is missing is named."""

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

from harness.sealed_case import SealedCase
from harness.sealed_files import KeyFile, sealed_in, secret_conf
from harness.secret_files import Secret, snapshot, write_file

KEY_FILE_PROBLEM = "new values cannot be stored"


class KeyProblemCase(SealedCase):
    """`self.secret` is sealed under `self.key`, `self.plain` has a plain value."""

    def setUp(self) -> None:
        super().setUp()
        self.plain = Secret(usage="plain")
        self.plain.write(self.store, b"plain")
        self.store_sealed()
        self.configure(encrypt=True, key=self.key)

    def assertServesTheRest(self) -> None:
        self.assertServesAllBut(self.daemon, self.plain)

    def assertServedOnceRepaired(self) -> None:
        self.daemon.reload()
        self.assertValue(b"value")
        new = Secret(usage="after the repair")
        self.define(self.root, new, b"new")
        self.assertSealedWith(self.key, new)


class KeyFilesThatCannotBeUsed(KeyProblemCase):
    """The values under the key are refused, and so are new ones."""

    def assertRefused(self, *words: str) -> None:
        before = snapshot(self.store)
        self.begin()
        self.assertServesTheRest()
        self.assertLogNames(self.daemon, KEY_FILE_PROBLEM, str(self.key.path), *words)
        self.assertValueRefused(self.key.id, str(self.key.path), *words)
        self.assertNothingNewIsStored(str(self.key.path), *words)
        self.assertEqual(snapshot(self.store), before)

    def repair(self) -> None:
        if self.key.path.is_dir():
            self.key.path.rmdir()
        self.key.path.unlink(missing_ok=True)
        self.key.put()
        self.assertServedOnceRepaired()

    def test_missing(self) -> None:
        self.key.path.unlink()
        self.assertRefused("No such file or directory", "a new one opens nothing that was sealed")
        self.repair()

    def test_in_a_directory_that_is_missing(self) -> None:
        elsewhere = self.machine.home / "missing/key"
        self.configure(encrypt=True, key=elsewhere)
        self.key = KeyFile(elsewhere, self.key.raw)
        self.assertRefused("No such file or directory")
        elsewhere.parent.mkdir()
        self.repair()

    def test_a_link_that_leads_nowhere(self) -> None:
        self.key.path.unlink()
        self.key.path.symlink_to("nowhere")
        self.assertRefused("No such file or directory")
        self.repair()

    def test_a_link_to_itself(self) -> None:
        self.key.path.unlink()
        self.key.path.symlink_to(self.key.path.name)
        self.assertRefused("Too many levels of symbolic links")
        self.repair()

    def test_a_newline_behind_the_key(self) -> None:
        write_file(self.key.path, self.key.raw + b"\n")
        remedy = f"truncate -s 32 {self.key.path}"
        self.assertRefused("must hold exactly 32 bytes", "has a newline behind them", remedy)
        self.machine.run(*remedy.split()).ok()
        self.assertServedOnceRepaired()

    def test_wrong_lengths(self) -> None:
        for content in (b"", self.key.raw[:31], self.key.raw + b"\0", base64.b64encode(self.key.raw),
                        self.key.raw.hex().encode(), b"x" * 100_000):
            with self.subTest(bytes=len(content)):
                write_file(self.key.path, content)
                self.assertRefused("must hold exactly 32 bytes, raw and not as text")
                self.repair()
                self.root.secretLookupByUsage(2, "after the repair").undefine()
                self.daemon.stop()

    def test_a_fifo(self) -> None:
        self.key.path.unlink()
        os.mkfifo(self.key.path)
        self.assertRefused("is not a regular file")
        self.repair()

    def test_a_directory(self) -> None:
        self.key.path.unlink()
        self.key.path.mkdir()
        self.assertRefused("is not a regular file")
        self.repair()

    def test_a_device(self) -> None:
        self.key.path.unlink()
        os.mknod(self.key.path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        self.assertRefused("key file")
        self.repair()

    def test_an_earlier_key_that_is_missing_is_named(self) -> None:
        current = self.new_key("current")
        self.configure(encrypt=True, key=current, earlier=[self.key])
        self.key.path.unlink()
        self.begin()
        self.assertLogNames(self.daemon, "values under an earlier key cannot be read",
                            str(self.key.path))
        self.assertValueRefused(self.key.id, str(self.key.path), "No such file or directory")
        new = Secret(usage="new")
        self.define(self.root, new, b"new")
        self.assertSealedWith(current, new)
        self.key.put()
        self.reload_and_reencrypt()
        self.assertValue(b"value")
        self.assertSealedWith(current)

    def test_a_key_that_goes_while_the_daemon_runs_takes_no_value_away(self) -> None:
        self.begin()
        self.key.path.unlink()
        self.daemon.reload()
        self.assertValue(b"value")
        self.assertNothingNewIsStored(str(self.key.path))
        self.repair()


class KeyFilesThatSealNothingNew(KeyProblemCase):
    """Others can read or replace them: what was sealed is opened, nothing new is sealed."""

    def assertOpensAndSealsNothing(self, *words: str) -> None:
        self.begin()
        self.assertValue(b"value")
        self.assertServesTheRest()
        self.assertLogNames(self.daemon, KEY_FILE_PROBLEM, str(self.key.path), *words)
        self.assertNothingNewIsStored(str(self.key.path), *words)

    def follow(self, remedy: str) -> None:
        self.assertIn(remedy, self.daemon.log())
        self.machine.run(*remedy.split()).ok()
        self.assertServedOnceRepaired()

    def test_readable_by_everybody(self) -> None:
        self.key.path.chmod(0o644)
        self.assertOpensAndSealsNothing("can be read by everybody")
        self.follow(f"chmod 0600 {self.key.path}")

    def test_writable_by_a_group(self) -> None:
        self.key.path.chmod(0o620)
        self.assertOpensAndSealsNothing("can be written by others")
        self.follow(f"chmod 0600 {self.key.path}")

    def test_of_another_user(self) -> None:
        os.chown(self.key.path, self.machine.one.uid, 0)
        self.assertOpensAndSealsNothing(f"belongs to user {self.machine.one.uid}")
        self.follow(f"chown 0 {self.key.path}")

    def test_a_link_is_judged_by_what_it_leads_to(self) -> None:
        self.key.path.unlink()
        elsewhere = KeyFile.make(self.machine.home / "elsewhere", self.key.raw)
        self.key.path.symlink_to(elsewhere.path)
        elsewhere.path.chmod(0o644)
        self.assertOpensAndSealsNothing("can be read by everybody")
        elsewhere.path.chmod(0o600)
        self.assertServedOnceRepaired()

    def test_nothing_but_zeros(self) -> None:
        write_file(self.key.path, bytes(32))
        self.begin()
        self.assertServesTheRest()
        self.assertValueRefused(self.key.id, "is not configured")
        self.assertNothingNewIsStored(str(self.key.path), "nothing but zeros")
        self.key.put()
        self.assertServedOnceRepaired()

    def test_readable_by_the_group_is_good(self) -> None:
        """An access control list, as systemd puts on credentials, shows as the group's permission."""
        self.key.path.chmod(0o440)
        self.begin()
        self.assertServedOnceRepaired()


class WrongKeys(KeyProblemCase):
    def test_another_key_opens_nothing_and_destroys_nothing(self) -> None:
        before = snapshot(self.store)
        right = self.key
        wrong = self.new_key("key")
        self.begin()
        self.assertServesTheRest()
        self.assertValueRefused(right.id, "which is not configured", "secrets_encryption_key",
                                "secrets_decryption_keys", "secret.conf")
        self.assertEqual(snapshot(self.store), before)
        new = Secret(usage="new")
        self.define(self.root, new, b"new")
        self.assertSealedWith(wrong, new)

    def test_setting_a_value_quarantines_the_one_that_cannot_be_read(self) -> None:
        sealed = sealed_in(self.store, self.secret)
        before = sealed.read_bytes()
        right = self.key
        self.key = self.new_key("key")
        self.begin()
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertValue(b"new")
        self.assertFormats("jwe", "jwe.aside-1")
        quarantined = self.store / f"{sealed.name}.aside-1"
        self.assertEqual(quarantined.read_bytes(), before)
        self.assertLogNames(self.daemon, sealed.name, quarantined.name)
        self.restart()
        self.assertValue(b"new")
        # with the right key it is as good as before
        quarantined.rename(sealed)
        right.put()
        self.restart()
        self.assertValue(b"value")

    def test_undefining_removes_what_cannot_be_read_as_it_was_told_to(self) -> None:
        """Undefine, define, set is what some deployment tools do on each run."""
        self.key = self.new_key("key")
        self.begin()
        self.root.secretLookupByUUIDString(self.secret.uuid).undefine()
        self.assertFormats()
        self.define(self.root, self.secret, b"new")
        self.assertSealedWith(self.key)
        self.assertValue(b"new")

    def test_a_damaged_file_is_refused_and_its_remedy_named(self) -> None:
        sealed = sealed_in(self.store, self.secret)
        content = sealed.read_bytes()
        sealed.write_bytes(content[:-1] + (b"A" if content[-1:] != b"A" else b"Q"))
        self.begin()
        self.assertServesTheRest()
        self.assertValueRefused("set the value again")
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertFormats("jwe", "jwe.aside-1")

    def test_the_file_of_another_secret_is_refused(self) -> None:
        other = Secret(usage="other")
        self.store_sealed(other, value=b"of the other")
        sealed_in(self.store, self.secret).write_bytes(sealed_in(self.store, other).read_bytes())
        self.begin()
        self.assertValueRefused(f"was sealed for secret '{other.uuid}'")
        self.assertValue(b"of the other", other)


class OneSettingWithAProblem(KeyProblemCase):
    """It affects what it decides; the others are as they are."""

    FILE = "/etc/libvirt/secret.conf"

    def begin_with(self, text: str, *words: str) -> None:
        write_file(self.machine.etc / "secret.conf", text)
        self.begin()
        self.assertServesTheRest()
        self.assertLogNames(self.daemon, self.FILE, *words, "put it right and reload")
        self.assertPlain(b"plain", self.plain)

    def repair(self) -> None:
        self.configure(key=self.key)
        self.assertServedOnceRepaired()
        self.root.secretLookupByUsage(2, "after the repair").undefine()
        self.daemon.stop()

    def test_that_decides_how_new_values_are_written(self) -> None:
        named = secret_conf(key=self.key, seal_existing=1)
        earlier = secret_conf(earlier=[self.key], seal_existing=1)
        for text, word in {
                named + 'encrypt_data = "yes"\n': "'encrypt_data' is not 0 or 1",
                named + "encrypt_data = 2\n": "'encrypt_data' is not 0 or 1",
                earlier + "secrets_encryption_key = 5\n": "'secrets_encryption_key' is not a string",
                earlier + 'secrets_encryption_key = "key"\n': "'secrets_encryption_key' is not an absolute",
                earlier + 'secrets_encryption_key = [ "/a" ]\n': "'secrets_encryption_key' is not a string",
        }.items():
            with self.subTest(text=text):
                before = snapshot(self.store)
                self.begin_with(text, word)
                self.assertValue(b"value")
                self.assertNothingNewIsStored(self.FILE, word)
                self.assertEqual(snapshot(self.store), before)
                self.repair()

    def test_that_names_the_key_of_a_value(self) -> None:
        for name in ("secrets_encryption_key", "secrets_decryption_keys"):
            with self.subTest(name=name):
                self.begin_with(f'{name} = "key"\n', name)
                self.assertValueRefused(self.key.id, self.FILE, f"'{name}' is not an absolute path")
                self.repair()

    def test_that_decides_nothing_about_new_values(self) -> None:
        for text, word in {
                "secrets_decryption_keys = [ 1 ]\n": "entry 1 of 'secrets_decryption_keys' is not a string",
                'secrets_decryption_keys = [ "b" ]\n': "'secrets_decryption_keys' is not an absolute path",
                'seal_existing = "1"\n': "'seal_existing' is not 0 or 1",
                'unseal_existing = "1"\n': "'unseal_existing' is not 0 or 1",
                'key_memory = "anywhere"\n': "'key_memory' is not",
        }.items():
            with self.subTest(text=text):
                self.begin_with(secret_conf(key=self.key) + text, word)
                self.assertValue(b"value")
                new = Secret(usage="new")
                handle = self.define(self.root, new, b"new")
                self.assertSealedWith(self.key, new)
                handle.undefine()
                self.repair()


class DamagedSettings(KeyProblemCase):
    """What secret.conf says cannot be known, so that nothing is written in the clear."""

    def assertRefused(self, *words: str) -> None:
        file = "/etc/libvirt/secret.conf"
        self.begin()
        self.assertServesTheRest()
        self.assertLogNames(self.daemon, file, *words)
        self.assertValueRefused(file, *words)
        self.assertNothingNewIsStored(file, *words)

    def repair(self) -> None:
        self.configure(encrypt=True, key=self.key)
        self.assertServedOnceRepaired()

    def settings_file(self) -> Path:
        return self.machine.etc / "secret.conf"

    def test_texts(self) -> None:
        for text, word in {
                "= = garbage\n": "",
                "encrypt_data = maybe\n": "",
        }.items():
            with self.subTest(text=text):
                write_file(self.settings_file(), text)
                self.assertRefused(word)
                self.repair()
                self.root.secretLookupByUsage(2, "after the repair").undefine()
                self.daemon.stop()

    def damage(self, make: Callable[[Path], None], *words: str) -> None:
        self.settings_file().unlink()
        make(self.settings_file())
        self.assertRefused(*words)

    def test_a_directory(self) -> None:
        self.damage(Path.mkdir, "not a regular file")
        self.settings_file().rmdir()
        self.repair()

    def test_a_fifo(self) -> None:
        self.damage(os.mkfifo, "not a regular file")
        self.settings_file().unlink()
        self.repair()

    def test_a_link_that_leads_nowhere(self) -> None:
        self.damage(lambda path: path.symlink_to("nowhere"), "is a link to 'nowhere', which is not there")
        self.settings_file().unlink()
        self.repair()

    def test_that_became_damaged_while_the_daemon_runs(self) -> None:
        self.begin()
        write_file(self.settings_file(), "= = garbage\n")
        self.daemon.reload()
        self.assertValue(b"value")
        self.assertNothingNewIsStored("/etc/libvirt/secret.conf")
        self.repair()

    def test_that_its_user_may_not_read(self) -> None:
        user = self.machine.one
        settings = user.store.parent / "secret.conf"
        settings.parent.mkdir(parents=True)
        write_file(settings, "encrypt_data = 1\n", 0o000)
        user.owns(settings.parent, settings)
        self.daemon = self.start(user=user)
        self.root = self.daemon.open()
        self.assertLogNames(self.daemon, str(settings), "Permission denied")
        new = Secret(usage="new")
        error = self.refusal(self.define, self.root, new, b"value")
        self.assertIn("Permission denied", str(error))
        self.assertFormats(secret=new, store=user.store)
        self.assertMemoryOnlyWorks()
