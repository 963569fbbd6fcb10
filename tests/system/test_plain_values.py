# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values in plain where others are sealed: never by mistake, and refused where the settings say so."""

import libvirt
from harness.keyhold import Keyhold
from harness.sealed_case import KEY_MISSING, SealedCase
from harness.secret_files import Secret, write_file, write_value


class PlainValues(SealedCase):
    def write_conf(self, text: str) -> None:
        write_file(self.machine.etc / "secret.conf", text)

    def assertNotStored(self, *parts: str) -> None:
        before = {path.name: path.read_bytes() for path in self.store.iterdir()}
        with self.assertRaises(libvirt.libvirtError) as raised:
            self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertEqual(raised.exception.get_error_code(), KEY_MISSING)
        for part in parts:
            self.assertIn(part, str(raised.exception))
        self.assertEqual({path.name: path.read_bytes() for path in self.store.iterdir()}, before)

    def test_a_letter_missing_in_the_name_of_the_key_stores_nothing_in_plain(self) -> None:
        self.store_sealed()
        self.write_conf(f'secret_encryption_key = "{self.key.path}"\n')
        self.begin()
        self.assertIn("'secret_encryption_key' is no setting, and does not count; "
                      "did you mean 'secrets_encryption_key'?", self.daemon.log())
        self.assertNotStored(f"{self.secret.uuid}.jwe", "secrets_encryption_key", "encrypt_data = 0")
        self.assertEqual(Keyhold(self.machine).status()["newValues"], "refused")

        self.write_conf("encrypt_data = 0\n")
        self.daemon.reload()
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"in plain on purpose")
        self.assertValue(b"in plain on purpose")

    def test_it_is_so_from_the_reload_on_by_which_the_key_goes(self) -> None:
        self.configure(key=self.key)
        self.begin()
        self.define(self.root, self.secret, b"value")
        self.write_conf("")
        self.daemon.reload()
        self.assertNotStored("beside sealed ones")
        self.configure(key=self.key)
        self.daemon.reload()
        self.root.secretLookupByUUIDString(self.secret.uuid).setValue(b"new")
        self.assertSealedWith(self.key)

    def test_plain_values_may_be_refused(self) -> None:
        plain = Secret(usage="by a tool")
        plain.write(self.store, b"planted")
        self.write_conf(f'secrets_encryption_key = "{self.key.path}"\nplain_values = "refuse"\n')
        self.begin()
        self.assertIn(plain.uuid, self.root.listSecrets())
        with self.assertRaises(libvirt.libvirtError) as raised:
            self.value_of(self.root, plain)
        self.assertIn("plain_values in secret.conf refuses it", str(raised.exception))
        self.assertFormats("base64", secret=plain)

        self.root.secretLookupByUUIDString(plain.uuid).setValue(b"by a client")
        self.assertEqual(self.value_of(self.root, plain), b"by a client")
        self.assertFormats("jwe", secret=plain)

    def test_no_command_takes_a_refused_one_for_the_value(self) -> None:
        self.store_sealed()
        self.write_conf(f'secrets_encryption_key = "{self.key.path}"\nplain_values = "refuse"\n')
        write_value(self.secret.value_in(self.store), b"planted")
        before = {path.name: path.read_bytes() for path in self.store.iterdir()}
        keyhold = Keyhold(self.machine)
        keyhold.run("seal")
        for step in ("on", "off"):
            refused = keyhold.run("encrypt", step)
            self.assertEqual(refused.code, 2)
            self.assertIn("refuses values in plain", refused.err)
        self.assertEqual({path.name: path.read_bytes() for path in self.store.iterdir()}, before)
