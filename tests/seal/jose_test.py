#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sealed values and other implementations of JOSE, each opening what the other sealed: Debian's jose
(C) and the jose package of Node, which Debian ships as node-jose.

    jose_test.py JWE_TOOL      tests/seal/jwe_tool.cpp, built
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = Path("/nonexistent")
UUID = "6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d10"
OTHER_UUID = "6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d11"
VALUES = (b"a", b"a value\0with a NUL and \xff\n", bytes(range(256)) * 256)

NODE = """
const {importJWK, compactDecrypt, CompactEncrypt, calculateJwkThumbprint} = require('jose');
const fs = require('fs');
(async () => {
    const [jwkFile, what, header] = process.argv.slice(1);
    const jwk = JSON.parse(fs.readFileSync(jwkFile));
    const key = await importJWK(jwk, 'dir');
    const input = fs.readFileSync(0);
    if (what === 'open') {
        const opened = await compactDecrypt(input, key,
            {keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM']});
        process.stdout.write(opened.plaintext);
    } else if (what === 'seal') {
        process.stdout.write(await new CompactEncrypt(input)
            .setProtectedHeader(JSON.parse(header)).encrypt(key));
    } else {
        process.stdout.write(await calculateJwkThumbprint(jwk));
    }
})().catch(error => { console.error(error.message); process.exit(1); });
"""


def run(*command: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(part) for part in command], input=data, capture_output=True,
                          env=os.environ | {"NODE_PATH": "/usr/share/nodejs"}, timeout=120)


def output(*command: str | Path, data: bytes = b"") -> bytes:
    done = run(*command, data=data)
    if done.returncode != 0:
        raise AssertionError(f"{command[:3]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class JoseTest(unittest.TestCase):
    directory: tempfile.TemporaryDirectory[str]
    key: Path
    jwk: Path
    key_id: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        place = Path(cls.directory.name)
        cls.key = place / "key"
        cls.key.write_bytes(os.urandom(32))
        cls.jwk = place / "key.jwk"
        cls.jwk.write_bytes(output(TOOL, "jwk", cls.key))
        cls.key_id = json.loads(cls.jwk.read_bytes())["kid"]

    def header(self, **changes: str) -> dict[str, str]:
        return {"alg": "dir", "enc": "A256GCM", "kid": self.key_id,
                "org.keyhold.uuid": UUID} | changes

    def seal_with_jose(self, value: bytes, header: dict[str, str]) -> bytes:
        plain = self.key.parent / "plain"
        plain.write_bytes(value)
        return output("jose", "jwe", "enc", "-i", json.dumps({"protected": header}), "-I", plain,
                      "-k", self.jwk, "-c", "-o", "-")

    def open_with_jose(self, text: bytes) -> subprocess.CompletedProcess[bytes]:
        sealed = self.key.parent / "sealed"
        sealed.write_bytes(text)
        return run("jose", "jwe", "dec", "-i", sealed, "-k", self.jwk, "-O", "-")

    def seal_with_node(self, value: bytes, header: dict[str, str]) -> bytes:
        return output("node", "-e", NODE, self.jwk, "seal", json.dumps(header), data=value)

    def open_with_node(self, text: bytes) -> subprocess.CompletedProcess[bytes]:
        return run("node", "-e", NODE, self.jwk, "open", data=text)

    def test_they_open_what_we_sealed(self) -> None:
        for value in VALUES:
            text = output(TOOL, "seal", self.key, UUID, data=value)
            for opened in (self.open_with_jose, self.open_with_node):
                done = opened(text)
                self.assertEqual((done.returncode, done.stdout), (0, value), opened.__name__)

    def test_they_refuse_what_was_altered(self) -> None:
        text = output(TOOL, "seal", self.key, UUID, data=b"a value")
        altered = text[:-1] + (b"A" if text[-1:] != b"A" else b"Q")
        for opened in (self.open_with_jose, self.open_with_node):
            self.assertNotEqual(opened(altered).returncode, 0, opened.__name__)

    def test_we_open_what_they_sealed(self) -> None:
        sealers: tuple[Callable[[bytes, dict[str, str]], bytes], ...] = (
            self.seal_with_jose, self.seal_with_node)
        for seal in sealers:
            for value in VALUES:
                text = seal(value, self.header())
                self.assertEqual(output(TOOL, "open", self.key, UUID, data=text), value)

    def test_members_of_theirs_are_ignored(self) -> None:
        for seal in (self.seal_with_jose, self.seal_with_node):
            text = seal(b"a value", self.header(typ="JOSE", **{"org.example.note": "x"}))
            self.assertEqual(output(TOOL, "open", self.key, UUID, data=text), b"a value")

    def test_what_they_sealed_for_another_secret_is_refused(self) -> None:
        for seal in (self.seal_with_jose, self.seal_with_node):
            done = run(TOOL, "open", self.key, OTHER_UUID, data=seal(b"a value", self.header()))
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"was sealed for secret", done.stderr)

    def test_what_they_sealed_without_a_uuid_is_refused(self) -> None:
        header = self.header()
        del header["org.keyhold.uuid"]
        for seal in (self.seal_with_jose, self.seal_with_node):
            done = run(TOOL, "open", self.key, UUID, data=seal(b"a value", header))
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"has no 'org.keyhold.uuid'", done.stderr)

    def test_compressed_values_are_refused(self) -> None:
        text = self.seal_with_jose(b"a value", self.header(zip="DEF"))
        done = run(TOOL, "open", self.key, UUID, data=text)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"'zip'", done.stderr)

    def test_the_format_page_shows_the_golden_files(self) -> None:
        page = (HERE.parent.parent / "docs/at-rest-format.md").read_text().replace("\n    ", "")
        for name in ("sealed.jwe", "key.jwk"):
            self.assertIn((HERE / "golden" / name).read_text(), page)

    def test_they_compute_the_same_key_id(self) -> None:
        self.assertEqual(output("jose", "jwk", "thp", "-a", "S256", "-i", self.jwk).decode().strip(),
                         self.key_id)
        self.assertEqual(output("node", "-e", NODE, self.jwk, "id").decode(), self.key_id)


if __name__ == "__main__":
    TOOL = Path(sys.argv.pop(1)).resolve()
    unittest.main()
