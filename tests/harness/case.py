# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base of the system tests."""

import re
import reprlib
import unittest
from collections.abc import Callable
from typing import Any, TypeVar

import libvirt

from .daemon import Daemon
from .events import run_event_loop
from .machine import Machine
from .secret_files import Secret
from .waiting import NeverHappened

F = TypeVar("F", bound=Callable[..., Any])


def stock_defect(failure: str) -> Callable[[F], F]:
    """Marks a test of what libvirt's own 9.0.0 driver does wrong.

    `run.py --stock` demands that the test fails there, with a text that `failure` matches: the proof
    that the test can fail, and that it fails for the reason it was written for."""
    re.compile(failure)

    def mark(test: F) -> F:
        test.stock_failure = failure  # type: ignore[attr-defined]
        return test
    return mark


class SystemCase(unittest.TestCase):
    maxDiff = None
    tests_apart = False  # each test in a process of its own, for classes that take long

    @classmethod
    def setUpClass(cls) -> None:
        run_event_loop()
        libvirt.registerErrorHandler(lambda _context, _error: None, None)

    def setUp(self) -> None:
        self.machine = self.new_machine()

    def new_machine(self) -> Machine:
        machine = Machine()
        self.addCleanup(machine.close)
        return machine

    def launch(self, machine: Machine | None = None, **options: Any) -> Daemon:
        """Starts libvirtd and does not wait for it."""
        daemon = Daemon(machine or self.machine, **options)
        self.addCleanup(daemon.close)
        return daemon

    def start(self, machine: Machine | None = None, patience: float | None = None,
              **options: Any) -> Daemon:
        """Starts libvirtd; returns when it serves clients."""
        daemon = self.launch(machine, **options)
        try:
            daemon.answers(patience)
        except NeverHappened:
            daemon.close()
            raise
        return daemon

    # --- secrets over a connection ---------------------------------------------------------

    def define(self, connection: libvirt.virConnect, secret: Secret,
               value: bytes | None = None) -> libvirt.virSecret:
        handle = connection.secretDefineXML(secret.xml)
        if value is not None:
            handle.setValue(value)
        return handle

    def value_of(self, connection: libvirt.virConnect, secret: Secret) -> bytes:
        return connection.secretLookupByUUIDString(secret.uuid).value()

    def uuids(self, connection: libvirt.virConnect) -> set[str]:
        """What is listed; the three ways of counting must agree."""
        listed = [secret.UUIDString() for secret in connection.listAllSecrets()]
        self.assertEqual(sorted(listed), sorted(connection.listSecrets()))
        self.assertEqual(len(listed), connection.numOfSecrets())
        return set(listed)

    def assertListed(self, connection: libvirt.virConnect, *secrets: Secret) -> None:
        self.assertEqual(self.uuids(connection), {secret.uuid for secret in secrets})

    def refusal(self, call: Callable[..., Any], *arguments: Any) -> libvirt.libvirtError:
        """The error that the call raises; none is a failure."""
        try:
            answer = call(*arguments)
        except libvirt.libvirtError as error:
            return error
        raise AssertionError(f"{call.__name__}{reprlib.repr(arguments)} was not refused, "
                             f"but answered {answer!r}")

    def assertNoValue(self, connection: libvirt.virConnect, secret: Secret) -> None:
        """Error 66, which deployment tools read as `no value yet`."""
        error = self.refusal(self.value_of, connection, secret)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET, str(error))
        self.assertIn(f"secret '{secret.uuid}' does not have a value", str(error))

    def assertLogNames(self, daemon: Daemon, *words: str) -> None:
        """Some line of the log holds all the words."""
        if not any(all(word in line for word in words) for line in daemon.log().splitlines()):
            raise AssertionError(f"no line of the log names {words}: {daemon.log()[-3000:]}")
