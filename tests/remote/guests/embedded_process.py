# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process with embedded connections, which do what its standard input asks for: one JSON
array [command, arguments...] a line, answered by one line {"answer": ...} or {"error": text}.

Needs only libvirt's binding, so that it also runs in the libvirt of another release."""

import ctypes
import json
import sys
import threading
from typing import Any

import libvirt


class Commands:
    def __init__(self) -> None:
        self._open: dict[str, libvirt.virConnect] = {}
        self._guests: dict[str, libvirt.virDomain] = {}

    def open(self, uri: str) -> str:
        self._open[uri] = libvirt.open(uri)
        return str(self._open[uri].getType())

    def define(self, uri: str, xml: str, value: str) -> None:
        self._open[uri].secretDefineXML(xml).setValue(value.encode())

    def undefine(self, uri: str, uuid: str) -> None:
        self._open[uri].secretLookupByUUIDString(uuid).undefine()

    def uuids(self, uri: str) -> list[str]:
        return sorted(self._open[uri].listSecrets())

    def read(self, uri: str, uuid: str) -> list[str]:
        secret = self._open[uri].secretLookupByUUIDString(uuid)
        return [secret.XMLDesc(), secret.value().decode()]

    def start(self, uri: str, xml: str) -> bool:
        guest = self._open[uri].createXML(xml)
        self._guests[uri] = guest
        return bool(guest.isActive())

    def stop(self, uri: str) -> None:
        self._guests.pop(uri).destroy()

    def become_libvirt(self) -> None:
        """Gives this thread libvirt's own identity, as virt-qemu-run does since 11.3.0 at the latest."""
        library = ctypes.CDLL("libvirt.so.0")
        library.virIdentityGetSystem.restype = ctypes.c_void_p
        library.virIdentitySetCurrent.argtypes = [ctypes.c_void_p]
        if library.virIdentitySetCurrent(library.virIdentityGetSystem()) != 0:
            raise libvirt.libvirtError("no identity")


def main() -> None:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def forever() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()
    threading.Thread(target=forever, daemon=True).start()
    commands = Commands()
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"answer": getattr(commands, command)(*arguments)}
        except libvirt.libvirtError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
