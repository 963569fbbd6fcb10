# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that libvirt 12.1 and later have encrypted, whose files prove no key."""

from harness.keyhold import Keyhold
from harness.libvirt_encrypted import encrypt, misleading_key
from harness.sealed_case import SealedCase
from harness.secret_files import write_file

VALUE = b"the value of many years"


class LibvirtEncrypted(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret.write(self.store)
        self.file = self.store / f"{self.secret.uuid}.aes256cbc"
        self.text = encrypt(self.key.raw, VALUE)
        write_file(self.file, self.text)

    def assertUntouched(self) -> None:
        self.assertFormats("aes256cbc")
        self.assertEqual(self.file.read_text(), self.text)

    def test_the_original_is_kept_when_it_is_sealed(self) -> None:
        self.configure(key=self.key, seal_existing=1)
        self.begin()
        self.daemon.reload()
        self.assertFormats("jwe", "aes256cbc.aside-1")
        self.assertValue(VALUE)
        self.assertEqual(self.file.with_name(self.file.name + ".aside-1").read_text(), self.text)
        self.assertLogNames(self.daemon, self.file.name + ".aside-1")

    def test_while_the_right_key_is_missing_garbage_is_neither_served_nor_sealed(self) -> None:
        """An earlier key seems to fit, and a new one is there to seal with."""
        wrong = self.new_key("wrong", misleading_key(self.text))
        self.key.path.unlink()
        self.configure(key=self.new_key("new"), earlier=[wrong, self.key], seal_existing=1)
        self.begin()
        error = self.refusal(self.value_of, self.root, self.secret)
        for words in (self.file.name, "an earlier key seems to fit", str(self.key.path)):
            self.assertIn(words, str(error))
        self.daemon.reload()
        self.assertUntouched()
        self.assertEqual(self.daemon.stop(), 0)
        for command in ("seal", "rekey", "unseal"):
            Keyhold(self.machine).run(command)
            self.assertUntouched()

        self.key.put()
        self.configure(key=self.key, earlier=[])
        self.begin()
        self.assertValue(VALUE)

    def test_while_another_key_is_missing_the_value_is_served_and_not_sealed(self) -> None:
        lost = self.new_key("lost")
        lost.path.unlink()
        self.configure(key=self.key, earlier=[lost], seal_existing=1)
        self.begin()
        self.assertValue(VALUE)
        self.daemon.reload()
        self.assertUntouched()
        self.assertLogNames(self.daemon, "was not re-encrypted", str(lost.path))
        self.assertEqual(self.daemon.stop(), 0)
        for command in ("seal", "unseal"):
            result = Keyhold(self.machine).json(command, code=2)
            self.assertEqual([each["kind"] for each in result["findings"]], ["unchanged"])
            self.assertUntouched()

    def test_an_empty_value_is_no_value(self) -> None:
        write_file(self.file, encrypt(self.key.raw, b""))
        self.configure(key=self.key)
        self.begin()
        self.assertNoValue(self.root, self.secret)
