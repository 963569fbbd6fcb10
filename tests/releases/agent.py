# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client does with an embedded root in the libvirt of this system. Needs only the binding.

    agent.py write ROOT    stores what comes as JSON on standard input: [[definition, base64 value], ...]
    agent.py read ROOT     answers {"listed": [uuid, ...], "values": {uuid: base64 value},
                           "errors": {uuid: [code, text]}, "key_missing": code}

The driver is the one in LIBVIRT_DRIVER_DIR, else libvirt's own."""

from __future__ import annotations

import base64
import json
import sys

import libvirt


def write(connection: libvirt.virConnect) -> None:
    for definition, value in json.load(sys.stdin):
        connection.secretDefineXML(definition).setValue(base64.b64decode(value))


def read(connection: libvirt.virConnect) -> None:
    values, errors = {}, {}
    for secret in connection.listAllSecrets():
        try:
            values[secret.UUIDString()] = base64.b64encode(secret.value()).decode()
        except libvirt.libvirtError as error:
            errors[secret.UUIDString()] = [error.get_error_code(), error.get_error_message()]
    # an error code that libvirt has since 12.1.0
    code = getattr(libvirt, "VIR_ERR_INVALID_ENCR_KEY_SECRET", libvirt.VIR_ERR_INTERNAL_ERROR)
    json.dump({"listed": [*values, *errors], "values": values, "errors": errors, "key_missing": code},
              sys.stdout)


if __name__ == "__main__":
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    {"write": write, "read": read}[sys.argv[1]](libvirt.open(f"secret:///embed?root={sys.argv[2]}"))
