# SPDX-License-Identifier: LGPL-2.1-or-later
"""A copy of libvirt.so.0 that lacks a symbol, or gives itself another version.

A preloaded library can replace a symbol of libvirt's but not take one away from a dlsym on libvirt's own
handle. So the copy is altered in the file: the symbol's name in .dynstr gets another last letter (the hash
table still leads to it under the old hash, and then the names differ), or the number that virGetVersion
answers is replaced in its code. The daemon loads the copy through LD_LIBRARY_PATH; clients do not."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt

LIBRARY = "libvirt.so.0"
SHT_DYNSYM = 11


@dataclass(frozen=True)
class Symbol:
    name: bytes
    name_at: int  # offset in the file
    code_at: int
    size: int


class ElfFile:
    """As much of a 64-bit little-endian ELF file as the patches need (ELF specification, chapter 4)."""

    def __init__(self, content: bytes) -> None:
        if content[:6] != b"\x7fELF\x02\x01":
            raise AssertionError("not a 64-bit little-endian ELF file")
        self.content = bytearray(content)
        offset, entry_size, count = struct.unpack_from("<Q10xHH", content, 0x28)[0], \
            *struct.unpack_from("<HH", content, 0x3A)
        # (type, flags skipped, address, offset, size, link)
        self._sections = [struct.unpack_from("<4xI8xQQQI", content, offset + i * entry_size)
                          for i in range(count)]

    def symbols(self) -> Iterator[Symbol]:
        _, _, offset, size, link = next(s for s in self._sections if s[0] == SHT_DYNSYM)
        names = self._sections[link][2]
        for at in range(offset, offset + size, 24):
            name, value, length = struct.unpack_from("<I4xQQ", self.content, at)
            name_at = names + name
            end = self.content.index(b"\0", name_at)
            yield Symbol(bytes(self.content[name_at:end]), name_at, self._offset_of(value), length)

    def _offset_of(self, address: int) -> int:
        for _, start, offset, size, _ in self._sections:
            if start and start <= address < start + size:
                return address - start + offset
        return 0

    def rename(self, name: str) -> None:
        """Changes the last letter of a symbol's name, once sure that no other name shares it."""
        wanted = next(s for s in self.symbols() if s.name == name.encode())
        last = wanted.name_at + len(name) - 1
        sharing = [s.name for s in self.symbols()
                   if s.name_at <= last < s.name_at + len(s.name) and s != wanted]
        if sharing:
            raise AssertionError(f"{name} shares its letters with {sharing}")
        self.content[last] ^= 1

    def replace_number(self, function: str, old: int, new: int) -> None:
        """Replaces a 32-bit number wherever it stands in the code of a function."""
        symbol = next(s for s in self.symbols() if s.name == function.encode())
        code = bytes(self.content[symbol.code_at:symbol.code_at + symbol.size])
        if struct.pack("<I", old) not in code:
            raise AssertionError(f"the code of {function} holds no 32-bit {old}: another processor?")
        code = code.replace(struct.pack("<I", old), struct.pack("<I", new))
        self.content[symbol.code_at:symbol.code_at + symbol.size] = code


def _installed() -> ElfFile:
    """The library that this process, a client, has loaded."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split(maxsplit=5)[-1]
        if Path(path).name.startswith(LIBRARY):
            return ElfFile(Path(path).read_bytes())
    raise AssertionError(f"{LIBRARY} is not loaded")


def _write(elf: ElfFile, directory: Path) -> str:
    directory.mkdir()
    (directory / LIBRARY).write_bytes(elf.content)
    return str(directory)


def without_symbol(name: str, directory: Path) -> str:
    """A directory for LD_LIBRARY_PATH."""
    elf = _installed()
    elf.rename(name)
    return _write(elf, directory)


def of_version(version: int, directory: Path) -> str:
    """The same; `version` as virGetVersion counts: 9000000 for 9.0.0."""
    elf = _installed()
    elf.replace_number("virGetVersion", libvirt.getVersion(), version)
    return _write(elf, directory)
