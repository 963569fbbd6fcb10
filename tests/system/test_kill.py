# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL: acknowledged changes are there, others are there whole or not at all, and nothing of ours
is left lying about."""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace

import libvirt

from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.secret_files import Secret
from harness.tracing import Trace
from harness.waiting import wait_for

# the calls by which files change; the process is killed at the first, the second, ... of them
CHANGES = ("fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
           "ftruncate,copy_file_range,sync_file_range")
LEFT_OVER = r"\.new"
State = tuple[str, bytes | None] | None  # definition and value; None: not there


def state_of(connection: libvirt.virConnect, uuid: str) -> State:
    try:
        handle = connection.secretLookupByUUIDString(uuid)
        xml = handle.XMLDesc()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
            raise
        return None
    try:
        return xml, handle.value()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
            raise
        return xml, None


class KillCase(SystemCase):
    def assertNothingRemains(self, connection: libvirt.virConnect) -> None:
        """In the store are the files of the secrets that are listed, and no other."""
        mine = {f"{uuid}.{kind}" for uuid in connection.listSecrets() for kind in ("xml", "base64")}
        others = {path.name for path in self.machine.store.iterdir()} - mine
        self.assertEqual(others, set())


class KillAfterAnswer(KillCase):
    def test_everything_acknowledged_is_there(self) -> None:
        daemon = self.start()
        root = daemon.open()
        kept, redefined, gone = Secret(usage="a"), Secret(usage="b"), Secret(usage="c")
        self.define(root, kept, b"kept")
        daemon.kill()
        daemon = self.start()
        root = daemon.open()
        self.define(root, redefined, b"first").setValue(b"second")
        self.define(root, again := replace(redefined, description="again"))
        self.define(root, gone, b"gone").undefine()
        daemon.kill()
        root = self.start().open()
        self.assertListed(root, kept, redefined)
        self.assertEqual(state_of(root, kept.uuid), (kept.xml, b"kept"))
        self.assertEqual(state_of(root, redefined.uuid), (again.xml, b"second"))
        self.assertNothingRemains(root)


class KillAtEachStep(KillCase):
    """One operation, killed at each of its calls that change files; afterwards the secret is what it
    was before or what it was to become."""

    tests_apart = True
    OLD = Secret("0b7e8f2c-6c2e-4f2c-9d3e-3f6f5e0c1a2b", "a")
    NEW = replace(OLD, description="new")
    PASSING = replace(OLD, ephemeral=True)

    def kill_each(self, prepare: Callable[[libvirt.virConnect], object],
                  change: Callable[[libvirt.virConnect], object], before: State, after: State) -> None:
        wrong, step, killed = [], 0, True
        while killed:
            step += 1
            daemon = self.start()
            root = daemon.open()
            prepare(root)
            killed = self.change_and_kill(daemon, root, change, step)
            daemon.close()
            successor = self.start()
            root = successor.open()
            found = state_of(root, self.OLD.uuid)
            if found not in ((before, after) if killed else (after,)):
                wrong.append(f"killed at {self.seen}: {found}")
            try:
                self.assertNothingRemains(root)
            except AssertionError as left:
                wrong.append(f"killed at {self.seen}: left over: {left}")
            if found is not None:
                root.secretLookupByUUIDString(self.OLD.uuid).undefine()
            successor.stop()
            for path in self.machine.store.iterdir():
                path.unlink()
        self.assertGreater(step, 1, "the operation was never killed")
        self.assertEqual(wrong, [])

    def change_and_kill(self, daemon: Daemon, root: libvirt.virConnect,
                        change: Callable[[libvirt.virConnect], object], step: int) -> bool:
        """Whether the daemon was killed, and not the operation done first."""
        trace = Trace(daemon, CHANGES, [f"{CHANGES}:signal=KILL:when={step}"])
        try:
            change(root)
            return False
        except libvirt.libvirtError:
            self.assertEqual(daemon.wait(), -9)
            return True
        finally:
            trace.close()
            calls = re.findall(r"\d+ +(\w+\(.*)", trace.seen())
            self.seen = f"step {step}, {calls[-1] if calls else 'none'}"

    @stock_defect(LEFT_OVER)
    def test_define(self) -> None:
        self.kill_each(lambda root: None, lambda root: self.define(root, self.OLD),
                       None, (self.OLD.xml, None))

    @stock_defect(LEFT_OVER)
    def test_redefine(self) -> None:
        self.kill_each(lambda root: self.define(root, self.OLD, b"old"),
                       lambda root: self.define(root, self.NEW),
                       (self.OLD.xml, b"old"), (self.NEW.xml, b"old"))

    @stock_defect(LEFT_OVER)
    def test_set_a_first_value(self) -> None:
        self.kill_each(lambda root: self.define(root, self.OLD),
                       lambda root: root.secretLookupByUUIDString(self.OLD.uuid).setValue(b"new"),
                       (self.OLD.xml, None), (self.OLD.xml, b"new"))

    @stock_defect(LEFT_OVER)
    def test_replace_a_value(self) -> None:
        self.kill_each(lambda root: self.define(root, self.OLD, b"old"),
                       lambda root: root.secretLookupByUUIDString(self.OLD.uuid).setValue(b"new"),
                       (self.OLD.xml, b"old"), (self.OLD.xml, b"new"))

    @stock_defect("left over.*base64")
    def test_undefine(self) -> None:
        self.kill_each(lambda root: self.define(root, self.OLD, b"old"),
                       lambda root: root.secretLookupByUUIDString(self.OLD.uuid).undefine(),
                       (self.OLD.xml, b"old"), None)

    @stock_defect(LEFT_OVER)
    def test_make_an_ephemeral_secret_persistent(self) -> None:
        self.kill_each(lambda root: self.define(root, self.PASSING, b"old"),
                       lambda root: self.define(root, self.OLD),
                       None, (self.OLD.xml, b"old"))

    @stock_defect(r"killed at step \d, (?s:.)*</secret>\\\\n\", None\)")
    def test_make_a_persistent_secret_ephemeral(self) -> None:
        self.kill_each(lambda root: self.define(root, self.OLD, b"old"),
                       lambda root: self.define(root, self.PASSING),
                       (self.OLD.xml, b"old"), None)


class Client(threading.Thread):
    """Changes a secret of its own until the daemon is gone; knows what was acknowledged."""

    def __init__(self, daemon: Daemon, seed: int) -> None:
        super().__init__()
        self.connection = daemon.open()
        self.secret = Secret(usage=f"of client {seed}")
        self.random = random.Random(seed)
        self.killing = threading.Event()
        self.fault: libvirt.libvirtError | None = None
        self.acknowledged: State = None
        self.attempted: State = None
        self.changes = 0

    def run(self) -> None:
        try:
            while True:
                self.change()
                self.acknowledged = self.attempted
                self.changes += 1
        except libvirt.libvirtError as error:
            if not self.killing.is_set():
                self.fault = error

    def change(self) -> None:
        now = self.acknowledged
        if now is None or self.random.random() < 0.4:
            new = replace(self.secret, description="d" * self.random.randrange(1, 20_000))
            self.attempted = (new.xml, now[1] if now else None)
            self.connection.secretDefineXML(new.xml)
            return
        handle = self.connection.secretLookupByUUIDString(self.secret.uuid)
        if self.random.random() < 0.2:
            self.attempted = None
            handle.undefine()
        else:
            value = self.random.randbytes(self.random.randrange(1, 40_000))
            self.attempted = (now[0], value)
            handle.setValue(value)


class KillBesideBusyClients(KillCase):
    ROUNDS = 6
    CLIENTS = 6

    def end(self, daemon: Daemon) -> None:
        daemon.process.kill()

    def rounds(self, check: Callable[[libvirt.virConnect, list[Client]], None]) -> None:
        """Ends the daemon under busy clients, and checks what its successor finds, several times."""
        for number in range(self.ROUNDS):
            daemon = self.start()
            clients = [Client(daemon, number * self.CLIENTS + i) for i in range(self.CLIENTS)]
            for client in clients:
                client.start()
            wait_for("clients are busy", lambda: sum(client.changes for client in clients) > 30)
            for client in clients:
                client.killing.set()
            self.end(daemon)
            for client in clients:
                client.join()
                self.assertIsNone(client.fault)
            daemon.close()
            successor = self.start()
            check(successor.open(), clients)
            successor.stop()

    def test_acknowledged_changes_are_there(self) -> None:
        def check(root: libvirt.virConnect, clients: list[Client]) -> None:
            for client in clients:
                found = state_of(root, client.secret.uuid)
                self.assertIn(found, (client.acknowledged, client.attempted), client.secret.uuid)
        self.rounds(check)

    @stock_defect(LEFT_OVER)
    def test_nothing_is_left_over(self) -> None:
        self.rounds(lambda root, clients: self.assertNothingRemains(root))
