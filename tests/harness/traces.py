# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a value or a key leaves where it was: the byte strings to look for in a core."""

import base64
import os

from .sealed_files import KeyFile

PIECE = 8  # bytes; chance does not make one of them in a core of any size


def _product(a: int, b: int) -> int:
    """In the field of AES (FIPS 197, 4.2)."""
    result = 0
    while b:
        result ^= a if b & 1 else 0
        a = a << 1 ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return result


def _substitution() -> bytes:
    table = bytearray(256)
    for byte in range(256):
        inverse = next((x for x in range(256) if _product(byte, x) == 1), 0)
        bits = 0
        for turn in range(5):
            bits ^= (inverse << turn | inverse >> (8 - turn)) & 0xff
        table[byte] = bits ^ 0x63
    return bytes(table)


S_BOX = _substitution()


def round_keys(key: bytes) -> list[bytes]:
    """The key schedule of AES-256 (FIPS 197, 5.2), 15 keys of 16 bytes."""
    words = [key[at:at + 4] for at in range(0, 32, 4)]
    constant = 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(S_BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _product(constant, 2)
        elif len(words) % 8 == 4:
            word = bytes(S_BOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b"".join(words[at:at + 4]) for at in range(0, 60, 4)]


def _inverse_columns(block: bytes) -> bytes:
    """As the equivalent inverse cipher has its round keys (FIPS 197, 5.3.5)."""
    factors = (14, 11, 13, 9)
    out = bytearray()
    for column in range(0, 16, 4):
        for row in range(4):
            value = 0
            for other in range(4):
                value ^= _product(block[column + other], factors[(other - row) % 4])
            out.append(value)
    return bytes(out)


def _words_swapped(block: bytes) -> bytes:
    return b"".join(block[at:at + 4][::-1] for at in range(0, 16, 4))


def schedule_pieces(key: bytes) -> list[bytes]:
    """Of each round key, as ciphers keep it: for both directions, with words of either order."""
    forward = round_keys(key)
    blocks = forward + [_inverse_columns(block) for block in forward[1:-1]]
    return [form(block)[:PIECE] for block in blocks for form in (bytes, _words_swapped)]


def encoded_pieces(data: bytes) -> list[bytes]:
    """Of base64 and base64url, wherever `data` starts in a longer text."""
    found = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(before) + data)
            # the first and the last characters depend on what is beside `data`
            found.update(text[at:at + 12] for at in range(4, len(text) - 16, 12))
    return sorted(found)


class Marker:
    """A value that repeats itself, so that what is left of a copy gives it away."""

    def __init__(self) -> None:
        self._period = os.urandom(12)  # base64 of it repeats as well
        self.value = self._period * 128

    def pieces(self) -> dict[str, list[bytes]]:
        return {"value": [self._period[:PIECE]],
                "base64 of the value": encoded_pieces(self._period * 2)}


def pieces_of_key(key: KeyFile) -> dict[str, list[bytes]]:
    """Of the 32 bytes, of what is computed from them on the way to the sealing key, and of that."""
    found = {}
    for name, secret in (("raw key", key.raw), ("sealing key", key.sealing)):
        found[name] = [secret[at:at + PIECE] for at in range(0, 32, PIECE)]
        # the first two round keys are the key itself
        found[f"schedule of the {name}"] = schedule_pieces(secret)[4:]
        found[f"base64 of the {name}"] = encoded_pieces(secret)
    found["extracted key"] = [key.extracted[at:at + PIECE] for at in range(0, 32, PIECE)]
    for name, pad in (("inner", 0x36), ("outer", 0x5c)):  # of HMAC, RFC 2104
        padded = bytes(byte ^ pad for byte in key.extracted)
        found[f"{name} block of the extracted key"] = [padded[:PIECE], padded[-PIECE:]]
    return found
