# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes the secrets of an embedded root through libvirt, by four threads at once, and reports each step on
its output before and after. Ends when its input does, or when all four are refused again and again.

  writers.py ROOT SEED LARGEST   changes; values have up to LARGEST bytes
  writers.py ROOT                prints what the root holds, as JSON: uuid, description, value in base64"""

import base64
import json
import os
import random
import re
import sys
import threading

import libvirt

from history import SECRETS, WRITERS, uuid_of, value_of

BROKEN = -1  # the number of a value that cannot be read
PATIENCE = 12  # refusals in a row


def report(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # short: not torn


class Writer(threading.Thread):
    def __init__(self, connection: libvirt.virConnect, number: int, seed: int, largest: int) -> None:
        super().__init__()
        self._connection, self._number, self._largest = connection, number, largest
        self._dice = random.Random(f"{seed} {number}")
        self._defined: set[str] = set()

    def run(self) -> None:
        refusals = 0
        step = self._number
        while refusals < PATIENCE:
            step += WRITERS
            uuid = uuid_of(self._number, self._dice.randrange(SECRETS))
            change = self._dice.choice(("set", "set", "define", "undefine")) if uuid in self._defined else "define"
            report(f"begin {self._number} {change} {step} {uuid}")
            try:
                self._make(change, step, uuid)
            except libvirt.libvirtError:
                report(f"refused {self._number}")
                refusals += 1
            else:
                report(f"done {self._number}")
                refusals = 0
                (self._defined.discard if change == "undefine" else self._defined.add)(uuid)

    def _make(self, change: str, step: int, uuid: str) -> None:
        if change == "define":
            self._connection.secretDefineXML(
                f"<secret><uuid>{uuid}</uuid><description>{step}</description></secret>")
            return
        secret = self._connection.secretLookupByUUIDString(uuid)
        if change == "set":
            secret.setValue(value_of(step, self._largest))
        else:
            secret.undefine()


def content(connection: libvirt.virConnect) -> list[tuple[str, str, str | None]]:
    found = []
    for secret in connection.listAllSecrets():
        match = re.search("<description>(.*)</description>", secret.XMLDesc())
        try:
            value = base64.b64encode(secret.value()).decode()
        except libvirt.libvirtError as error:
            value = None
            if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
                value = base64.b64encode(f"{BROKEN} {error}".encode()).decode()
        found.append((secret.UUIDString(), match.group(1) if match else "", value))
    return found


def main(root: str, *how: str) -> int:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(f"secret:///embed?root={root}")
    if not how:
        print(json.dumps(content(connection)))
        return 0
    writers = [Writer(connection, number, int(how[0]), int(how[1])) for number in range(WRITERS)]
    for writer in writers:
        writer.daemon = True
        writer.start()

    def wait() -> None:
        for writer in writers:
            writer.join()
        os._exit(0)
    threading.Thread(target=wait, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
