# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file system of its own on a loop device, which can be made to fail."""

import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
SIZE = 512 << 20  # bytes; none of the three can be made smaller than 300 MiB (mkfs.xfs)
ROOMY = "1g"

# XFS_IOC_GOINGDOWN of linux/fs/xfs/libxfs/xfs_fs.h and EXT4_IOC_SHUTDOWN of include/uapi/linux/ext4.h are
# one number, _IOR('X', 125, __u32), with the same flags.
SHUT_DOWN = 0x8004587D
FLUSH_ALL, FLUSH_LOG, FLUSH_NOTHING = 0, 1, 2
FITRIM = 0xC0185879  # linux/fs.h


MS_RDONLY, MS_REMOUNT = 1, 32  # sys/mount.h
libc = ctypes.CDLL(None, use_errno=True)


# linux/loop.h
LOOP_CONFIGURE, LOOP_CTL_GET_FREE = 0x4C0A, 0x4C82
LO_FLAGS_AUTOCLEAR = 4
LOOP_CONFIG = struct.Struct("<II 52x I 176x 64x")  # fd, block_size, info.lo_flags
PAGE = 4096


class Busy(Exception):
    pass


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Busy(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


def remount(place: Path, flags: int) -> None:
    if libc.mount(None, os.fsencode(place), None, MS_REMOUNT | flags, None) != 0:
        raise Busy(f"remount of {place}: {os.strerror(ctypes.get_errno())}")


def until_not_busy(what: Callable[[], None]) -> None:
    """A mount is busy as long as a file of it is open to be written."""
    end = time.monotonic() + 60
    while True:
        try:
            return what()
        except Busy:
            if time.monotonic() > end:
                raise


def open_loop(image: Path) -> int:
    """A loop device that goes once nobody has it open or mounted. Where the file below is full, the kernel's
    takes a short write for a whole one, so each is of one page."""
    with open("/dev/loop-control", "rb") as control, image.open("r+b") as file:
        while True:
            number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            device = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, LOOP_CONFIGURE, LOOP_CONFIG.pack(file.fileno(), PAGE, LO_FLAGS_AUTOCLEAR))
            except OSError as error:
                os.close(device)
                if error.errno != errno.EBUSY:  # somebody else took it since
                    raise
                continue
            Path(f"/sys/block/loop{number}/queue/max_sectors_kb").write_text(str(PAGE // 1024))
            return device


class Disk:
    """The image is in a tmpfs. Mounts and loop devices go with the mount namespace, whatever ends this
    process, or with close()."""

    def __init__(self, work: Path, kind: str) -> None:
        self.kind = kind
        self.place = work / "disk"
        self._below = work / "below"
        for directory in (self.place, self._below):
            directory.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", self._below)
        self._image = self._below / "image"
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        self._with_device(lambda device: run(*MAKE[kind], device))
        self.mount()

    def _with_device(self, what: Callable[[Path], None]) -> None:
        device = open_loop(self._image)
        try:
            what(Path(os.readlink(f"/proc/self/fd/{device}")))
        finally:
            os.close(device)

    def mount(self) -> None:
        def mount(device: Path) -> None:
            run("mount", "-t", self.kind, device, self.place)
            if self.kind == "xfs":
                # else it waits for ever for room below, and everybody with it
                for retries in Path("/sys/fs/xfs", device.name, "error/metadata").glob("*/max_retries"):
                    retries.write_text("0")
        self._with_device(mount)

    def unmount(self) -> None:
        until_not_busy(lambda: run("umount", self.place))

    def close(self) -> None:
        if os.path.ismount(self._below):
            self.make_room()
        for place in (self.place, self._below):
            if os.path.ismount(place):
                until_not_busy(lambda: run("umount", place))

    def shut_down(self, flags: int) -> None:
        opened = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, SHUT_DOWN, struct.pack("I", flags))
        finally:
            os.close(opened)

    def make_read_only(self) -> None:
        until_not_busy(lambda: remount(self.place, MS_RDONLY))

    def make_writable(self) -> None:
        remount(self.place, 0)

    def leave_room(self, size: int) -> None:
        """From now on the disk below takes `size` bytes more, as a thin one whose pool is full then."""
        def leave() -> None:  # fails if more has been used since
            used = self._image.stat().st_blocks * 512
            run("mount", "-o", f"remount,size={used + size}", self._below)
        until_not_busy(leave)

    def give_back_unused(self) -> None:
        """What the file system has free takes no room of the disk below any more."""
        opened = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, FITRIM, struct.pack("QQQ", 0, 2**64 - 1, 0))
        finally:
            os.close(opened)

    def make_room(self) -> None:
        run("mount", "-o", f"remount,size={ROOMY}", self._below)
