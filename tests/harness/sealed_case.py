# SPDX-License-Identifier: LGPL-2.1-or-later
"""Claims about a daemon that seals the values it stores."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import libvirt

from .case import SystemCase
from .daemon import Daemon
from .secret_files import Secret, write_file
from .sealed_files import KeyFile, formats_in, key_id_of, sealed_in, secret_conf
from .waiting import wait_for

# libvirt has VIR_ERR_INVALID_ENCR_KEY_SECRET since 12.1.0; the daemon here is older
KEY_MISSING = libvirt.VIR_ERR_INTERNAL_ERROR
REENCRYPTED = re.compile(r" re-encrypted (\d+) of \1 values")
PROGRESS = 'log_filters = "2:daemon 2:secret.keyhold"\n'


class SealedCase(SystemCase):
    """`self.key` is a key file; `configure` writes the secret.conf of the system instance."""

    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.key = self.new_key("key")
        self.secret = Secret(usage="sealed")

    def new_key(self, name: str, raw: bytes | None = None) -> KeyFile:
        return KeyFile.make(self.machine.home / name, raw)

    def configure(self, **settings: Any) -> None:
        write_file(self.machine.etc / "secret.conf", secret_conf(**settings))

    def begin(self, **options: Any) -> None:
        self.daemon = self.start(configuration=PROGRESS, **options)
        self.root = self.daemon.open()

    def restart(self, **options: Any) -> None:
        self.assertEqual(self.daemon.stop(), 0)
        self.begin(**options)

    def reload_and_reencrypt(self) -> None:
        """A reload, and the end of the re-encryption that it begins."""
        before = len(REENCRYPTED.findall(self.daemon.log()))
        self.daemon.reload()
        wait_for("the values are re-encrypted", lambda: len(REENCRYPTED.findall(self.daemon.log())) > before)

    def store_sealed(self, *secrets: Secret, value: bytes = b"value") -> None:
        """Leaves the secrets sealed under `self.key` in the store, and no daemon."""
        self.configure(key=self.key)
        daemon = self.start()
        for secret in secrets or (self.secret,):
            self.define(daemon.open(), secret, value)
        self.assertEqual(daemon.stop(), 0)

    def put_sealed_nothing(self, store: Path) -> None:
        """A sealed file whose value is empty; jose makes it."""
        header = {"alg": "dir", "enc": "A256GCM", "kid": self.key.id, "org.keyhold.uuid": self.secret.uuid}
        jwk, empty = self.machine.home / "key.jwk", self.machine.home / "empty"
        write_file(jwk, self.key.jwk)
        write_file(empty, b"")
        done = self.machine.run("jose", "jwe", "enc", "-c", "-k", str(jwk), "-I", str(empty), "-o", "-",
                                "-i", json.dumps({"protected": header}))
        write_file(sealed_in(store, self.secret), done.ok())

    # --- claims ----------------------------------------------------------------------------

    def assertValue(self, value: bytes, *secrets: Secret) -> None:
        for secret in secrets or (self.secret,):
            self.assertEqual(self.value_of(self.root, secret), value)

    def assertFormats(self, *forms: str, secret: Secret | None = None, store: Path | None = None) -> None:
        self.assertEqual(formats_in(store or self.store, secret or self.secret), set(forms))

    def assertSealedWith(self, key: KeyFile, *secrets: Secret) -> None:
        """One file each, that names this key."""
        for secret in secrets or (self.secret,):
            self.assertFormats("jwe", secret=secret)
            self.assertEqual(key_id_of(sealed_in(self.store, secret)), key.id)

    def assertPlain(self, value: bytes, *secrets: Secret) -> None:
        for secret in secrets or (self.secret,):
            self.assertFormats("base64", secret=secret)
            self.assertEqual(secret.value_in(self.store).read_bytes(), base64.b64encode(value))

    def assertValueRefused(self, *words: str, code: int = KEY_MISSING) -> None:
        """The definition is listed, the value is an error with these words."""
        self.assertIn(self.secret.uuid, self.uuids(self.root))
        error = self.refusal(self.value_of, self.root, self.secret)
        self.assertEqual(error.get_error_code(), code, str(error))
        for word in (sealed_in(self.store, self.secret).name, *words):
            self.assertIn(word, str(error))

    def assertNothingNewIsStored(self, *words: str,
                                 text: str = "values must be encrypted and there is no key") -> None:
        """A new persistent value is refused with these words and leaves no file; the secret stays
        without a value, and what needs no key works."""
        new = Secret(usage="new")
        handle = self.define(self.root, new)
        error = self.refusal(handle.setValue, b"not in the clear")
        self.assertEqual(error.get_error_code(), KEY_MISSING, str(error))
        for word in (text, *words):
            self.assertIn(word, str(error))
        self.assertNoValue(self.root, new)
        self.assertFormats(secret=new)
        handle.undefine()
        self.assertMemoryOnlyWorks()

    def assertMemoryOnlyWorks(self) -> None:
        passing = Secret(usage="in memory", ephemeral=True)
        handle = self.define(self.root, passing, b"passing")
        self.assertEqual(handle.value(), b"passing")
        handle.undefine()

    def assertServesAllBut(self, daemon: Daemon, plain: Secret, value: bytes = b"plain") -> None:
        """Definitions of both are listed, the plain one's value is served, and so is what is in memory."""
        self.assertLessEqual({plain.uuid, self.secret.uuid}, self.uuids(daemon.open()))
        self.assertEqual(self.value_of(daemon.open(), plain), value)
        self.assertMemoryOnlyWorks()
