# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values as libvirt 12.1 and later encrypt them: base64 of an initialization vector and AES-256-CBC."""

import base64
import itertools
import subprocess


def encrypt(key: bytes, value: bytes) -> str:
    initial = bytes(range(16))
    done = _openssl("-e", key, initial, value)
    assert done.returncode == 0, done.stderr
    return base64.b64encode(initial + done.stdout).decode()


def misleading_key(text: str) -> bytes:
    """A wrong key under which the padding is well-formed; one in 256 is. The same one each time."""
    data = base64.b64decode(text)
    for number in itertools.count():
        key = number.to_bytes(4, "big") * 8
        done = _openssl("-d", key, data[-32:-16], data[-16:])
        if done.returncode == 0:
            return key
    raise AssertionError("no key fits")


def _openssl(direction: str, key: bytes, initial: bytes, data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", "enc", "-aes-256-cbc", direction, "-K", key.hex(), "-iv", initial.hex()],
                          input=data, capture_output=True)
