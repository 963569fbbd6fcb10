#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Made sealed.jwe, other-form.jwe, other-key.jwe and damaged/ once, with Python's cryptography
package and not with the code under test. Writes into the directory it is given.

    make.py DIRECTORY
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RAW = bytes(range(32))
OTHER_RAW = bytes(range(32, 64))
UUID = "6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d10"
VALUE = b"a value\0with a NUL and \xff\n"
NONCE = bytes(range(100, 112))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derive(raw: bytes) -> bytes:
    """HKDF-SHA256, RFC 5869; the key is one block of output."""
    extracted = hmac.digest(b"org.keyhold.at-rest", raw, "sha256")
    return hmac.digest(extracted, b"JWE dir A256GCM" + b"\x01", "sha256")


def thumbprint(key: bytes) -> str:
    """RFC 7638."""
    return encode(hashlib.sha256(f'{{"k":"{encode(key)}","kty":"oct"}}'.encode()).digest())


def members(**changes: object) -> dict[str, object]:
    header: dict[str, object] = {"alg": "dir", "enc": "A256GCM", "kid": thumbprint(derive(RAW)),
                                 "org.keyhold.uuid": UUID}
    for name, value in changes.items():
        name = name.replace("_", ".")
        if value is None:
            del header[name]
        else:
            header[name] = value
    return header


def seal(header: dict[str, object] | str, raw: bytes = RAW, nonce: bytes = NONCE) -> str:
    text = header if isinstance(header, str) else json.dumps(header, separators=(",", ":"))
    encoded = encode(text.encode())
    box = AESGCM(derive(raw)).encrypt(nonce, VALUE, encoded.encode())
    return f"{encoded}..{encode(nonce)}.{encode(box[:-16])}.{encode(box[-16:])}"


def part(number: int, change: Callable[[str], str]) -> str:
    parts = seal(members()).split(".")
    parts[number] = change(parts[number])
    return ".".join(parts)


def next_letter(text: str) -> str:
    """The last character with a bit set that no byte holds."""
    return text[:-1] + chr(ord(text[-1]) + 1)


def damaged() -> dict[str, str | bytes]:
    good = seal(members())
    plain_header = json.dumps(members(), separators=(",", ":"))
    return {
        "empty": "",
        "newline-alone": "\n",
        "base64-of-a-value": base64.b64encode(VALUE).decode(),
        "zeros": b"\0" * len(good),
        "four-parts": good.rsplit(".", 1)[0],
        "six-parts": good + ".",
        "two-newlines": good + "\n\n",
        "carriage-return": good + "\r\n",
        "leading-blank": " " + good,
        "byte-order-mark": b"\xef\xbb\xbf" + good.encode(),
        "json-serialization": json.dumps(dict(zip(
            ("protected", "iv", "ciphertext", "tag"),
            (good.split(".")[i] for i in (0, 2, 3, 4)), strict=True))),
        "encrypted-key": part(1, lambda _: "AAAA"),
        "header-not-base64url": part(0, lambda text: "!" + text[1:]),
        "header-padded": part(0, lambda text: text + "="),
        "header-too-long": seal(plain_header + " " * 4096),
        "header-not-json": seal("alg=dir"),
        "header-array": seal("[" + plain_header + "]"),
        "header-empty": seal("{}"),
        "header-trailing-comma": seal(plain_header[:-1] + ",}"),
        "header-unclosed": seal(plain_header[:-1]),
        "header-text-behind": seal(plain_header + "{}"),
        "header-escape": seal(plain_header.replace("dir", "\\u0064ir")),
        "header-number": seal(members(iat=5)),
        "header-control-character": seal(plain_header.replace("dir", "d\tir")),
        "header-foreign-letter": seal(plain_header.replace('"dir"', '"dir","x":"é"')),
        "member-twice": seal(plain_header[:-1] + ',"alg":"dir"}'),
        "no-alg": seal(members(alg=None)),
        "alg-of-another-kind": seal(members(alg="A256KW")),
        "no-enc": seal(members(enc=None)),
        "enc-of-another-kind": seal(members(enc="A256CBC-HS512")),
        "no-kid": seal(members(kid=None)),
        "kid-empty": seal(members(kid="")),
        "another-key-of-this-name": seal(members(), raw=OTHER_RAW),
        "kid-too-long": seal(members(kid="k" * 129)),
        "no-uuid": seal(members(org_keyhold_uuid=None)),
        "uuid-not-canonical": seal(members(org_keyhold_uuid=UUID.upper())),
        "uuid-of-another": seal(members(org_keyhold_uuid=UUID[:-1] + "1")),
        "crit": seal(members(crit=["b64"])),
        "zip": seal(members(zip="DEF")),
        "iv-short": seal(members(), nonce=NONCE[:-1]),
        "iv-long": seal(members(), nonce=NONCE + b"x"),
        "iv-not-base64url": part(2, lambda text: "+" + text[1:]),
        "ciphertext-not-base64url": part(3, lambda text: text[:-1] + "/"),
        "ciphertext-with-newline": part(3, lambda text: text[:8] + "\n" + text[8:]),
        "ciphertext-with-nul": part(3, lambda text: text[:8] + "\0" + text[8:]),
        "ciphertext-not-canonical": part(3, next_letter),
        "ciphertext-padded": part(3, lambda text: text + "=="),
        "ciphertext-empty": part(3, lambda _: ""),
        "ciphertext-altered": part(3, lambda text: text[:8] + ("A" if text[8] != "A" else "B")
                                   + text[9:]),
        "ciphertext-with-high-byte": part(3, lambda text: text.replace(text[0], "\xff", 1)),
        "tag-short": part(4, lambda text: text[:-2] + "A"),
        "tag-not-canonical": part(4, next_letter),
        "tag-altered": part(4, lambda text: ("A" if text[0] != "A" else "B") + text[1:]),
        "tag-empty": part(4, lambda _: ""),
        "header-altered": part(0, lambda text: encode(plain_header.replace(",", ", ").encode())),
    }


def main() -> None:
    target = Path(sys.argv[1])
    (target / "damaged").mkdir(exist_ok=True)
    (target / "key").write_bytes(RAW)
    (target / "value").write_bytes(VALUE)
    (target / "sealed.jwe").write_text(seal(members()))
    shuffled = dict(reversed(members(typ="JOSE", org_example_note="ignored").items()))
    (target / "other-form.jwe").write_text(seal("\n" + json.dumps(shuffled, indent=1) + "\t\r\n") + "\n")
    (target / "other-key.jwe").write_text(
        seal(members(kid=thumbprint(derive(OTHER_RAW))), raw=OTHER_RAW))
    for name, content in damaged().items():
        data = content if isinstance(content, bytes) else content.encode("latin-1")
        (target / "damaged" / f"{name}.jwe").write_bytes(data)
    print("sealing key", derive(RAW).hex(), "kid", thumbprint(derive(RAW)))
    print("the other's kid", thumbprint(derive(OTHER_RAW)))


if __name__ == "__main__":
    main()
