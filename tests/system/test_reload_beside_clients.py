# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGHUP while clients change what is being reloaded: no acknowledged change is undone."""

import threading
from collections.abc import Callable

import libvirt

from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.secret_files import Secret, write_file, write_value
from harness.tracing import Trace
from harness.waiting import wait_for

# Microseconds. Long enough for a client to come in between; nothing is asserted about it: were it too
# short, the test would pass where it should fail, and never the other way round.
PAUSE = 500_000
# As good as for ever: it ends when the test lets the reload go on.
UNTIL_RELEASED = 600_000_000


class ReloadBesideAClient(SystemCase):
    """The reload is made to pause whenever it has read from, or closed, the file in question."""

    def setUp(self) -> None:
        super().setUp()
        self.secret, self.bystander = Secret(usage="first", description="old"), Secret(usage="second")
        for secret in (self.secret, self.bystander):
            secret.write(self.machine.store, b"old")
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.handle = self.root.secretLookupByUUIDString(self.secret.uuid)

    def while_reload_reads(self, name: str, change: Callable[[], object], pause: int = PAUSE) -> None:
        trace = Trace(self.daemon, "openat,openat2,read,pread64,close",
                      [f"read,pread64,close:delay_exit={pause}"], [f"/etc/libvirt/secrets/{name}"])
        self.addCleanup(trace.close)
        self.daemon.start_reload()
        wait_for("the reload opens the file", lambda: "openat" in trace.seen())
        change()
        if pause == UNTIL_RELEASED:
            trace.close()
        self.daemon.wait_reloaded()
        trace.close()

    def edit_definition(self) -> None:
        edited = Secret(self.secret.uuid, "first", description="edited")
        write_file(edited.xml_in(self.machine.store), edited.xml)

    @stock_defect("was not refused")
    def test_an_undefined_secret_does_not_come_back(self) -> None:
        self.edit_definition()
        self.while_reload_reads(f"{self.secret.uuid}.xml", self.handle.undefine)
        self.refusal(self.root.secretLookupByUUIDString, self.secret.uuid)
        self.assertListed(self.root, self.bystander)
        self.assertFalse(self.secret.xml_in(self.machine.store).exists())

    @stock_defect("edited")
    def test_a_definition_of_a_client_is_not_undone(self) -> None:
        self.edit_definition()
        mine = Secret(self.secret.uuid, "first", description="of a client")
        self.while_reload_reads(f"{self.secret.uuid}.xml", lambda: self.define(self.root, mine))
        self.assertEqual(self.handle.XMLDesc(), mine.xml)
        self.assertEqual(mine.xml_in(self.machine.store).read_text(), mine.xml)

    def test_a_value_of_a_client_is_not_undone(self) -> None:
        write_value(self.secret.value_in(self.machine.store), b"edited")
        self.while_reload_reads(f"{self.secret.uuid}.base64", lambda: self.handle.setValue(b"mine"))
        self.assertEqual(self.handle.value(), b"mine")
        self.assertEqual(self.secret.value_in(self.machine.store).read_bytes(), b"bWluZQ==")

    def test_other_secrets_are_served_while_the_reload_waits_for_a_file(self) -> None:
        self.edit_definition()
        answered = []
        self.while_reload_reads(
            f"{self.secret.uuid}.xml",
            lambda: answered.append((self.value_of(self.root, self.bystander),
                                     "daemon-reload" in self.daemon.threads())), UNTIL_RELEASED)
        self.assertEqual(answered, [(b"old", True)])


class Client(threading.Thread):
    """Changes a secret of its own again and again; each change must be there at once."""

    ROUNDS = 40

    def __init__(self, daemon: Daemon, number: int) -> None:
        super().__init__()
        self.connection = daemon.open()
        self.secret = Secret(usage=f"of client {number}")
        self.wrong: list[str] = []

    def run(self) -> None:
        for number in range(self.ROUNDS):
            try:
                self.round(number)
            except libvirt.libvirtError as error:
                self.wrong.append(f"round {number}: {error}")

    def round(self, number: int) -> None:
        current = Secret(self.secret.uuid, self.secret.usage, description=f"round {number}")
        value = f"value {number}".encode()
        handle = self.connection.secretDefineXML(current.xml)
        handle.setValue(value)
        if (seen := handle.XMLDesc()) != current.xml:
            self.wrong.append(f"round {number}: {seen}")
        if (got := handle.value()) != value:
            self.wrong.append(f"round {number}: {got!r}")
        if number % 4 == 3 and number + 1 < self.ROUNDS:
            handle.undefine()
            try:
                self.connection.secretLookupByUUIDString(current.uuid)
                self.wrong.append(f"round {number}: undefined and still there")
            except libvirt.libvirtError:
                pass
        self.secret = current


class ReloadsBesideManyClients(SystemCase):
    @stock_defect(r"round \d+: ")
    def test_every_client_finds_what_it_wrote(self) -> None:
        daemon = self.start()
        clients = [Client(daemon, number) for number in range(6)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            daemon.reload()
        for client in clients:
            client.join()
        self.assertEqual([client.wrong for client in clients], [[] for _ in clients])
        memory = {s.UUIDString(): (s.XMLDesc(), s.value()) for s in daemon.open().listAllSecrets()}
        self.assertEqual(memory, {client.secret.uuid: (client.secret.xml, b"value 39")
                                  for client in clients})
        daemon.stop()
        again = self.start().open()
        disk = {s.UUIDString(): (s.XMLDesc(), s.value()) for s in again.listAllSecrets()}
        self.assertEqual(disk, memory)
