# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program with an embedded root that keeps no plain value: libvirt's C functions, called directly,
and buffers that it wipes. Takes one command a line and answers each with a line, "ok" or the error.

  open URI           close
  define FILE        undefine UUID
  set UUID FILE      the value is the content of FILE
  get UUID FILE      writes the value to FILE
  fork               a child that lives until this process ends; answers its process id
  abandon            the same, of one that lives on
  copy FROM TO       a directory, as a program that saves its root"""

import ctypes
import mmap
import os
import shutil
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15

libvirt = ctypes.CDLL("libvirt.so.0")
libc = ctypes.CDLL(None)
for function in ("virConnectOpen", "virSecretDefineXML", "virSecretLookupByUUIDString",
                 "virSecretGetValue", "virGetLastErrorMessage"):
    getattr(libvirt, function).restype = ctypes.c_void_p


class Refused(Exception):
    pass


def last_error() -> Refused:
    text = ctypes.cast(libvirt.virGetLastErrorMessage(), ctypes.c_char_p).value or b""
    return Refused(text.decode())


class Host:
    def __init__(self) -> None:
        self._connection = ctypes.c_void_p()

    def open(self, uri: str) -> None:
        self._connection = self._pointer(libvirt.virConnectOpen(uri.encode()))

    def close(self) -> None:
        libvirt.virConnectClose(self._connection)

    def define(self, path: str) -> None:
        with open(path, "rb") as file:
            text = file.read()
        libvirt.virSecretFree(self._pointer(libvirt.virSecretDefineXML(self._connection, text, 0)))

    def undefine(self, uuid: str) -> None:
        self._with_secret(uuid, libvirt.virSecretUndefine)

    def set(self, uuid: str, path: str) -> None:
        size = os.stat(path).st_size
        with mmap.mmap(-1, size) as buffer, open(path, "rb", buffering=0) as file:
            file.readinto(buffer)
            block = (ctypes.c_char * size).from_buffer(buffer)
            try:
                self._with_secret(
                    uuid, lambda secret: libvirt.virSecretSetValue(secret, block, ctypes.c_size_t(size), 0))
            finally:
                ctypes.memset(block, 0, size)
                del block

    def get(self, uuid: str, path: str) -> None:
        size = ctypes.c_size_t()

        def write(secret: ctypes.c_void_p) -> int:
            value = self._pointer(libvirt.virSecretGetValue(secret, ctypes.byref(size), 0))
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            libc.write(file, value, size)
            os.close(file)
            ctypes.memset(value, 0, size.value)
            libc.free(value)
            return 0
        self._with_secret(uuid, write)

    def fork(self) -> str:
        return self._fork(lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    def abandon(self) -> str:
        return self._fork(lambda: libc.prctl(PR_SET_NAME, b"abandoned"))

    def copy(self, source: str, target: str) -> None:
        shutil.copytree(source, target)

    def _fork(self, begin: Callable[[], object]) -> str:
        child = os.fork()
        if child == 0:
            begin()
            while True:
                signal.pause()
        return str(child)

    def _pointer(self, address: int | None) -> ctypes.c_void_p:
        if address is None:
            raise last_error()
        return ctypes.c_void_p(address)

    def _with_secret(self, uuid: str, call: Callable[[ctypes.c_void_p], int]) -> None:
        found = libvirt.virSecretLookupByUUIDString(self._connection, uuid.encode())
        secret = self._pointer(found)
        try:
            if call(secret) < 0:
                raise last_error()
        finally:
            libvirt.virSecretFree(secret)


def main() -> int:
    libvirt.virEventRegisterDefaultImpl()
    host = Host()
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            answer = getattr(host, command)(*arguments)
        except Refused as refused:
            answer = f"refused: {refused}"
        print(answer or "ok", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
