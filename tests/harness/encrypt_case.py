# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold encrypt on a store with plain values, with two places for keys."""

import re
from pathlib import Path
from typing import Any

from .command_case import CommandCase
from .sealed_files import KeyFile, key_id_of, sealed_in
from .secret_files import snapshot


class EncryptCase(CommandCase):
    COUNT = 5

    def setUp(self) -> None:
        super().setUp()
        self.conf = self.etc / "secret.conf"
        self.keys = self.machine.home / "keys"
        self.first, self.second = self.keys / "first.key", self.keys / "second.key"

    def on(self, code: int = 0) -> Any:
        return self.keyhold.json("encrypt", "on", "--key", str(self.first), code=code)

    def rotate(self, key: Path | None = None, code: int = 0) -> Any:
        return self.keyhold.json("encrypt", "rotate", "--key", str(key or self.second), code=code)

    def key_at(self, path: Path) -> KeyFile:
        return KeyFile(path, path.read_bytes())

    def assertSealedUnder(self, path: Path) -> None:
        self.assertFormats(self.store, "jwe", self.COUNT)
        for secret in self.secrets:
            self.assertEqual(key_id_of(sealed_in(self.store, secret)), self.key_at(path).id)

    def assertNothingTemporary(self) -> None:
        text = re.sub(r" # keyhold: key [\w-]{43}$", "", self.conf.read_text(), flags=re.MULTILINE)
        for word in ("seal_existing", "unseal_existing", "# keyhold:"):
            self.assertNotIn(word, text)
        self.assertEqual([name.name for name in self.etc.iterdir() if "keyhold-new" in name.name], [])

    def refused(self, *arguments: str) -> str:
        before = snapshot(self.etc)
        result = self.keyhold.run("encrypt", *arguments)
        self.assertEqual(result.code, 2, result.out + result.err)
        self.assertEqual(snapshot(self.etc), before)
        return result.err
