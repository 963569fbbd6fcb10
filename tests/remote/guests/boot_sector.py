# SPDX-License-Identifier: LGPL-2.1-or-later
"""A boot sector that says on the serial port that it was read."""

GREETING = "booted from this disk"
# xor ax,ax; mov ds,ax; mov si,text; mov dx,0x3f8
# next: lodsb; test al,al; jz stop; out dx,al; jmp next
# stop: hlt; jmp stop
# text: at 0x7c00 + 21, where the BIOS puts it
_CODE = bytes.fromhex("31c0 8ed8 be157c baf803  ac 84c0 7403 ee ebf8  f4 ebfd")
SIZE = 1 << 20


def image() -> bytes:
    """A disk that begins with it."""
    sector = (_CODE + GREETING.encode() + b"\n\0").ljust(510, b"\0") + b"\x55\xaa"
    return sector.ljust(SIZE, b"\0")
