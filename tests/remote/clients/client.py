# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a secret with python-libvirt: URI, file of the definition, file of the value."""

import sys
from pathlib import Path

import libvirt

LIFECYCLE = {libvirt.VIR_SECRET_EVENT_DEFINED: "defined",
             libvirt.VIR_SECRET_EVENT_UNDEFINED: "undefined"}
events: list[str] = []


def on_event(what: str, secret: libvirt.virSecret) -> None:
    events.append(what)
    print("event", what, secret.UUIDString())


uri, definition, value = sys.argv[1:]
libvirt.registerErrorHandler(lambda _context, _error: None, None)
libvirt.virEventRegisterDefaultImpl()
connection = libvirt.open(uri)
connection.secretEventRegisterAny(
    None, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE,
    lambda _c, secret, event, _d, _o: on_event(LIFECYCLE[event], secret), None)
connection.secretEventRegisterAny(
    None, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED,
    lambda _c, secret, _o: on_event("value-changed", secret), None)

secret = connection.secretDefineXML(Path(definition).read_text())
print("defined", secret.UUIDString())
secret.setValue(Path(value).read_bytes())
print("value", secret.value().hex())
print("xml", secret.XMLDesc().encode().hex())
print("count", connection.numOfSecrets())
print("listed", ",".join(found.UUIDString() for found in connection.listAllSecrets()))
print("by-usage", connection.secretLookupByUsage(secret.usageType(), secret.usageID()).UUIDString())
secret.undefine()
try:
    connection.secretLookupByUUIDString(secret.UUIDString())
except libvirt.libvirtError as error:
    print("gone", error.get_error_code())
while len(events) < 3:
    libvirt.virEventRunDefaultImpl()
