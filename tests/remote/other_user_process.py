# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs in the process of an OtherUser: one JSON array a line in, the call and its arguments;
one JSON object a line out. Arguments: URI, and 1 for a read-only connection."""

import base64
import json
import sys
import threading

import libvirt

LIFECYCLE = {libvirt.VIR_SECRET_EVENT_DEFINED: "defined",
             libvirt.VIR_SECRET_EVENT_UNDEFINED: "undefined"}
events: list[tuple[str, str]] = []
# a handle outlives the permission to look the secret up
handles: dict[str, libvirt.virSecret] = {}


def keep(secret: libvirt.virSecret) -> str:
    handles[secret.UUIDString()] = secret
    return secret.UUIDString()


def handle(uuid: str) -> libvirt.virSecret:
    if uuid not in handles:
        keep(connection.secretLookupByUUIDString(uuid))
    return handles[uuid]


def watch(uuid: str | None = None) -> list[int]:
    secret = handle(uuid) if uuid else None
    return [
        connection.secretEventRegisterAny(
            secret, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE,
            lambda _c, s, event, _d, _o: events.append((LIFECYCLE[event], s.UUIDString())), None),
        connection.secretEventRegisterAny(
            secret, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED,
            lambda _c, s, _o: events.append(("value-changed", s.UUIDString())), None)]


CALLS = {
    "count": lambda: connection.numOfSecrets(),
    "list": lambda: sorted(connection.listSecrets()),
    "list-all": lambda: sorted(keep(secret) for secret in connection.listAllSecrets()),
    "lookup-by-uuid": lambda uuid: keep(connection.secretLookupByUUIDString(uuid)),
    "lookup-by-usage": lambda kind, usage: keep(connection.secretLookupByUsage(kind, usage)),
    "define": lambda xml: keep(connection.secretDefineXML(xml)),
    "dump": lambda uuid: handle(uuid).XMLDesc(),
    "set": lambda uuid, value: handle(uuid).setValue(base64.b64decode(value)),
    "get": lambda uuid: base64.b64encode(handle(uuid).value()).decode(),
    "undefine": lambda uuid: handle(uuid).undefine(),
    "watch": watch,
    "unwatch": lambda number: connection.secretEventDeregisterAny(number),
    "events": lambda: list(events),
}


def run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def attempt(call: object, *arguments: object) -> dict[str, object]:
    try:
        return {"answer": call(*arguments)}  # type: ignore[operator]
    except libvirt.libvirtError as error:
        return {"refused": [error.get_error_code(), error.get_error_domain(), str(error)]}


def connect() -> None:
    global connection
    opener = libvirt.openReadOnly if sys.argv[2] == "1" else libvirt.open
    connection = opener(sys.argv[1])


libvirt.registerErrorHandler(lambda _context, _error: None, None)
libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=run_events, daemon=True).start()
print(json.dumps(attempt(connect)), flush=True)
for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(attempt(CALLS[name], *arguments)), flush=True)
