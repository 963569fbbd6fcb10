# SPDX-License-Identifier: LGPL-2.1-or-later
"""Key files, secret.conf and sealed values, as docs/at-rest-format.md and docs/encryption.md say."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .secret_files import Secret, write_file


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class KeyFile:
    path: Path
    raw: bytes

    @classmethod
    def make(cls, path: Path, raw: bytes | None = None) -> "KeyFile":
        """What `openssl rand 32 >PATH` leaves."""
        key = cls(path, os.urandom(32) if raw is None else raw)
        key.put()
        return key

    def put(self) -> None:
        write_file(self.path, self.raw)

    @property
    def extracted(self) -> bytes:
        """The first step of HKDF-SHA256, RFC 5869."""
        return hmac.digest(b"org.keyhold.at-rest", self.raw, "sha256")

    @property
    def sealing(self) -> bytes:
        """The second step; the key is one block of output."""
        return hmac.digest(self.extracted, b"JWE dir A256GCM" + b"\x01", "sha256")

    @property
    def id(self) -> str:
        """RFC 7638."""
        canonical = f'{{"k":"{_base64url(self.sealing)}","kty":"oct"}}'
        return _base64url(hashlib.sha256(canonical.encode()).digest())

    @property
    def jwk(self) -> str:
        return json.dumps({"kty": "oct", "k": _base64url(self.sealing)})


def secret_conf(*, encrypt: bool | None = None, key: KeyFile | Path | None = None,
                earlier: Sequence[KeyFile] = (), **others: int) -> str:
    """A secret.conf; `others` are settings that are 0 or 1."""
    lines = [f"{name} = {value}" for name, value in others.items()]
    if encrypt is not None:
        lines.append(f"encrypt_data = {int(encrypt)}")
    if key is not None:
        lines.append(f'secrets_encryption_key = "{key.path if isinstance(key, KeyFile) else key}"')
    if earlier:
        paths = ", ".join(f'"{each.path}"' for each in earlier)
        lines.append(f"secrets_decryption_keys = [ {paths} ]")
    return "".join(f"{line}\n" for line in lines)


def sealed_in(store: Path, secret: Secret) -> Path:
    return store / f"{secret.uuid}.jwe"


def key_id_of(sealed: Path) -> str:
    """The key that a sealed value names."""
    header = sealed.read_text().partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def formats_in(store: Path, secret: Secret) -> set[str]:
    """What the names of its value files end in, quarantined ones included."""
    return {path.name.partition(".")[2] for path in store.glob(f"{secret.uuid}.*")} - {"xml"}
