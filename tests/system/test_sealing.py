# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that are sealed at rest: secret.conf, the forms of value files, which one counts."""

import os

from harness.events import VALUE_CHANGED, EventLog
from harness.sealed_case import SealedCase
from harness.sealed_files import key_id_of, sealed_in, secret_conf
from harness.secret_files import Secret, write_file, write_value


class Sealing(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(key=self.key)

    def test_a_new_value_is_sealed_and_nothing_else_is_written(self) -> None:
        self.begin()
        self.define(self.root, self.secret, b"value")
        self.assertSealedWith(self.key)
        self.assertEqual(sealed_in(self.store, self.secret).stat().st_mode & 0o7777, 0o600)
        self.assertValue(b"value")
        self.restart()
        self.assertValue(b"value")

    def test_any_jose_tool_with_the_key_opens_the_file(self) -> None:
        self.begin()
        value = os.urandom(1000)
        self.define(self.root, self.secret, value)
        write_file(self.machine.home / "key.jwk", self.key.jwk)
        opened = self.machine.run("jose", "jwe", "dec", "-i", str(sealed_in(self.store, self.secret)),
                                  "-k", str(self.machine.home / "key.jwk"), "-O", "-")
        self.assertEqual(opened.ok() and opened.raw, value)

    def test_values_of_all_sizes_come_back(self) -> None:
        self.begin()
        values = {Secret(usage=f"of {size}"): os.urandom(size) for size in (1, 28, 1024, 65536)}
        for secret, value in values.items():
            self.define(self.root, secret, value)
        self.restart()
        for secret, value in values.items():
            self.assertEqual(self.value_of(self.root, secret), value)

    def test_a_sealed_file_of_no_bytes_is_no_value(self) -> None:
        self.secret.write(self.store)
        self.put_sealed_nothing(self.store)
        self.begin()
        self.assertNoValue(self.root, self.secret)

    def test_a_plain_value_stays_plain_until_it_is_set(self) -> None:
        self.secret.write(self.store, b"by a tool")
        self.begin()
        self.assertValue(b"by a tool")
        self.assertPlain(b"by a tool")
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertSealedWith(self.key)
        self.assertValue(b"new")

    def test_a_plain_file_that_appears_counts_at_a_reload(self) -> None:
        """kolla: a tool writes the new value, with a newline, and reloads."""
        self.begin()
        self.define(self.root, self.secret, b"sealed")
        log = EventLog(self.root)
        write_value(self.secret.value_in(self.store), b"by a tool", newline=True)
        self.daemon.reload()
        self.assertValue(b"by a tool")
        self.assertEqual(log.take(), [(VALUE_CHANGED, self.secret.uuid)])
        self.assertFormats("jwe", "base64")
        self.restart()
        self.assertValue(b"by a tool")

    def test_a_plain_file_that_appeared_goes_when_a_value_is_set(self) -> None:
        self.begin()
        self.define(self.root, self.secret, b"sealed")
        write_value(self.secret.value_in(self.store), b"by a tool")
        self.daemon.reload()
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"last")
        self.assertSealedWith(self.key)
        self.restart()
        self.assertValue(b"last")

    def test_undefining_removes_every_form(self) -> None:
        self.begin()
        handle = self.define(self.root, self.secret, b"sealed")
        write_value(self.secret.value_in(self.store), b"by a tool")
        handle.undefine()
        self.assertEqual(list(self.store.iterdir()), [])

    def test_an_ephemeral_secret_that_becomes_persistent_is_sealed(self) -> None:
        self.begin()
        self.define(self.root, Secret(self.secret.uuid, "sealed", ephemeral=True), b"value")
        self.assertEqual(list(self.store.iterdir()), [])
        self.define(self.root, self.secret)
        self.assertSealedWith(self.key)
        self.restart()
        self.assertValue(b"value")

    def test_encryption_off_keeps_reading_what_is_sealed_and_writes_plain(self) -> None:
        self.store_sealed()
        self.configure(encrypt=False, key=self.key)
        self.begin()
        self.assertValue(b"value")
        self.assertSealedWith(self.key)
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertPlain(b"new")


class SettingsOfSecretConf(SealedCase):
    def test_without_settings_values_are_plain(self) -> None:
        for text in (None, "", "# nothing\n", "encrypt_data = 0\n", "unknown_setting = 1\n"):
            with self.subTest(text=text):
                file = self.machine.etc / "secret.conf"
                file.unlink(missing_ok=True)
                if text is not None:
                    write_file(file, text)
                self.begin()
                handle = self.define(self.root, self.secret, b"value")
                self.assertPlain(b"value")
                handle.undefine()
                self.daemon.stop()

    def test_the_setting_goes_before_the_credential(self) -> None:
        other = self.new_key("secrets-encryption-key")
        self.configure(key=self.key)
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        self.define(self.root, self.secret, b"value")
        self.assertSealedWith(self.key)
        self.assertNotEqual(other.id, self.key.id)

    def test_a_credential_alone_turns_encryption_on(self) -> None:
        credential = self.new_key("secrets-encryption-key")
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        self.define(self.root, self.secret, b"value")
        self.assertSealedWith(credential)
        self.restart(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        self.assertValue(b"value")

    def test_a_credential_and_encryption_off(self) -> None:
        self.new_key("secrets-encryption-key")
        self.configure(encrypt=False)
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        self.define(self.root, self.secret, b"value")
        self.assertPlain(b"value")

    def test_credentials_without_the_key_are_no_credential(self) -> None:
        self.begin(env={"CREDENTIALS_DIRECTORY": str(self.machine.home)})
        self.define(self.root, self.secret, b"value")
        self.assertPlain(b"value")

    def test_encryption_on_and_no_key_named_takes_the_file_where_libvirt_looks(self) -> None:
        directory = self.machine.home / "runtime/libvirt/secrets"
        directory.mkdir(parents=True)
        built_in = self.new_key(str(directory / "encryption-key"))
        self.configure(encrypt=True)
        self.begin(env={"XDG_RUNTIME_DIR": str(self.machine.home / "runtime")})
        self.define(self.root, self.secret, b"value")
        self.assertSealedWith(built_in)

    def test_the_session_instance_has_a_secret_conf_of_its_user(self) -> None:
        user = self.machine.one
        self.configure(key=self.new_key("of root"))
        key = self.new_key("one/key")
        settings = user.store.parent / "secret.conf"
        settings.parent.mkdir(parents=True)
        write_file(settings, secret_conf(key=key))
        user.owns(key.path, settings.parent, settings)
        root = self.start(user=user).open()
        self.define(root, self.secret, b"value")
        self.assertFormats("jwe", store=user.store)
        self.assertEqual(key_id_of(sealed_in(user.store, self.secret)), key.id)
        self.assertEqual(self.value_of(root, self.secret), b"value")
