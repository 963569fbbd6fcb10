# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secret events that a client receives, in order."""

import threading
import uuid
from typing import Any

import libvirt

from .waiting import wait_for

DEFINED, UNDEFINED, VALUE_CHANGED = "defined", "undefined", "value-changed"
_MARKER = "feedfeed-feed"
_LIFECYCLE = {libvirt.VIR_SECRET_EVENT_DEFINED: DEFINED, libvirt.VIR_SECRET_EVENT_UNDEFINED: UNDEFINED}
_loop: threading.Thread | None = None


def run_event_loop() -> None:
    """Starts libvirt's event loop in a thread of its own; must precede the first open."""
    global _loop
    if _loop is not None:
        return
    libvirt.virEventRegisterDefaultImpl()

    def forever() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    _loop = threading.Thread(target=forever, daemon=True)
    _loop.start()


class EventLog:
    """Records (what, uuid) for every secret of the connection, or for one."""

    def __init__(self, connection: libvirt.virConnect, secret: Any = None) -> None:
        self._connection = connection
        self._seen: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._registered = [
            connection.secretEventRegisterAny(
                secret, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE, self._lifecycle, None),
            connection.secretEventRegisterAny(
                secret, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED, self._value_changed, None)]

    def deregister(self) -> None:
        for number in self._registered:
            self._connection.secretEventDeregisterAny(number)

    def _add(self, what: str, secret: libvirt.virSecret) -> None:
        with self._lock:
            self._seen.append((what, secret.UUIDString()))

    def _lifecycle(self, _c: Any, secret: libvirt.virSecret, event: int, _detail: int, _o: Any) -> None:
        self._add(_LIFECYCLE[event], secret)

    def _value_changed(self, _c: Any, secret: libvirt.virSecret, _o: Any) -> None:
        self._add(VALUE_CHANGED, secret)

    def seen(self) -> list[tuple[str, str]]:
        """The events that have arrived."""
        with self._lock:
            return list(self._seen)

    def take(self) -> list[tuple[str, str]]:
        """All events up to now. A marker secret comes and goes behind them; as events keep their
        order, nothing that was raised before can be missing once the marker's have arrived."""
        marker = _MARKER + str(uuid.uuid4())[len(_MARKER):]
        self._connection.secretDefineXML(
            f"<secret ephemeral='yes'><uuid>{marker}</uuid></secret>").undefine()
        wait_for("the marker's events arrive", lambda: (UNDEFINED, marker) in self._seen)
        with self._lock:
            events = [event for event in self._seen if not event[1].startswith(_MARKER)]
            self._seen.clear()
        return events
