# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file system that a Linux kernel starts with, made of files of this system: a cpio archive in the
"newc" format (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel)."""

import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

# where /usr is merged
MERGED = ("bin", "lib", "lib64", "sbin")
LINKS = {**{name: f"usr/{name}" for name in MERGED}, "var/run": "/run"}


class Initramfs:
    def __init__(self) -> None:
        self._files: dict[PurePosixPath, bytes] = {}
        self._directories: set[PurePosixPath] = set()

    def add(self, path: str, content: bytes) -> None:
        place = PurePosixPath(path)
        if place.parts[1] in MERGED:
            place = PurePosixPath("/usr", *place.parts[1:])
        self._files[place] = content
        self.add_directories(str(place.parent))

    def add_directories(self, *paths: str) -> None:
        for path in map(PurePosixPath, paths):
            self._directories |= {path, *path.parents}

    def add_programs(self, programs: Mapping[str, Path]) -> None:
        """And the libraries that they need."""
        for path, source in programs.items():
            self.add(path, source.read_bytes())
            needed = subprocess.run(["ldd", str(source)], check=True, capture_output=True, text=True).stdout
            for library in re.findall(r"(/\S+) \(0x", needed):
                self.add(library, Path(library).read_bytes())

    def write(self, path: Path) -> None:
        with path.open("wb") as archive:
            for number, (name, mode, content) in enumerate(self._entries()):
                field = name.lstrip("/").encode() + b"\0"
                numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(field), 0)
                header = b"070701" + b"".join(b"%08x" % value for value in numbers) + field
                archive.write(_padded(header) + _padded(content))

    def _entries(self) -> Iterable[tuple[str, int, bytes]]:
        for directory in sorted(self._directories - {PurePosixPath("/")}):
            yield str(directory), stat.S_IFDIR | 0o755, b""
        for link, target in LINKS.items():
            yield link, stat.S_IFLNK | 0o777, target.encode()
        for path, content in self._files.items():
            yield str(path), stat.S_IFREG | 0o755, content
        yield "TRAILER!!!", 0, b""


def installed(*names: str) -> dict[str, Path]:
    """Programs of this system by the path that they have here and there."""
    found = {name: shutil.which(name) for name in names}
    return {path: Path(path) for path in found.values() if path}


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
