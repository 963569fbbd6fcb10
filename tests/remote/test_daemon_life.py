# SPDX-License-Identifier: LGPL-2.1-or-later
"""When a daemon with `--timeout` ends: beyond tests/system/test_idle_exit.py, for users' daemons, beside
guests, under many clients, and on a signal."""

import random
import subprocess
import threading
from dataclasses import replace

import libvirt

from guests import domain
from guests.boot_disk import PASSPHRASE, write_luks
from guests.drivers import configure_qemu, driver_dir
from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.machine import User
from harness.secret_files import Secret
from harness.waiting import wait_for

SECONDS = 1
RENAME_RACE = "|cannot rename file"  # two clients of stock that define one secret
NO_END = "libvirtd does not end"


class IdleCase(SystemCase):
    user: User | None = None
    drivers = ""

    def setUp(self) -> None:
        super().setUp()
        self.prepare()
        self.daemon = self.launch_idle()
        # the first connection is kept: between two the daemon might end
        self.root = wait_for("libvirtd answers", self.try_open)
        self.passing = Secret(usage="passing", ephemeral=True, private=True)

    def prepare(self) -> None:
        pass

    def launch_idle(self) -> Daemon:
        return self.launch(arguments=("--timeout", str(SECONDS)), user=self.user, driver_dir=self.drivers)

    def try_open(self) -> libvirt.virConnect | None:
        if self.daemon.process.poll() is not None:  # idle before this client, on a slow machine
            self.daemon = self.launch_idle()
        try:
            return self.daemon.open()
        except libvirt.libvirtError:
            return None

    def assertEnds(self) -> None:
        self.daemon.close_connections()
        self.assertEqual(self.daemon.wait(), 0)

    def assertStays(self) -> None:
        """Idle for several times its timeout, the daemon is still there."""
        self.daemon.close_connections()
        # the wait can only be too short to catch a wrong end, never be a wrong failure
        self.assertRaises(subprocess.TimeoutExpired, self.daemon.process.wait, 4 * SECONDS)
        self.root = self.daemon.open()


class IdleDaemonOfAUser(IdleCase):
    def prepare(self) -> None:
        self.user = self.machine.one

    @stock_defect(NO_END)
    def test_stays_with_an_ephemeral_secret_and_ends_after_it(self) -> None:
        self.define(self.root, self.passing, b"value")
        self.assertStays()
        self.define(self.root, replace(self.passing, description="again"))
        self.root.secretLookupByUUIDString(self.passing.uuid).undefine()
        self.assertEnds()


class IdleDaemonWithAGuest(IdleCase):
    """The QEMU driver has a hold of its own while a guest runs."""

    def prepare(self) -> None:
        configure_qemu(self.machine)
        self.drivers = driver_dir(self.machine, "qemu")

    def start_guest(self) -> None:
        disk = self.machine.home / "disk.luks"
        write_luks(self.machine, disk)
        self.passing = replace(self.passing, type="volume", usage=str(disk))
        self.define(self.root, self.passing, PASSPHRASE)
        guest = self.daemon.open("qemu").createXML(
            domain.machine_xml(domain.disk(disk, domain.encryption(self.passing))))
        self.assertTrue(domain.is_running(guest))

    def undefine(self) -> None:
        self.daemon.open("qemu").secretLookupByUUIDString(self.passing.uuid).undefine()

    def test_holds_of_guests_and_secrets_do_not_mix(self) -> None:
        # an object that a client keeps, keeps its connection too: here none is kept
        self.start_guest()
        self.undefine()
        self.assertStays()
        self.define(self.root, self.passing)
        self.daemon.open("qemu").lookupByName("guest").destroy()
        self.assertStays()
        self.undefine()
        self.assertEnds()


class IdleDaemonAfterALoad(IdleCase):
    """A definition that is ephemeral, put into the directory by hand."""

    BY_HAND = Secret(usage="by hand", ephemeral=True)

    def prepare(self) -> None:
        self.BY_HAND.write(self.machine.store)

    @stock_defect("TimeoutExpired not raised")
    def test_stays_for_a_definition_that_it_found_and_ends_after_it(self) -> None:
        self.assertListed(self.root, self.BY_HAND)
        self.assertStays()
        self.root.secretLookupByUUIDString(self.BY_HAND.uuid).undefine()
        self.assertEnds()


class Changer(threading.Thread):
    """Defines, redefines and undefines secrets that other clients change too, and removes all at last."""

    CHANGES = 60

    def __init__(self, connection: libvirt.virConnect, seed: int, uuids: list[str]) -> None:
        super().__init__()
        self.connection, self.uuids = connection, uuids
        self.random = random.Random(seed)
        self.fault: libvirt.libvirtError | None = None

    def run(self) -> None:
        try:
            for _ in range(self.CHANGES):
                self.change(self.random.choice(self.uuids))
        except libvirt.libvirtError as error:
            self.fault = error

    def change(self, uuid: str) -> None:
        if self.random.random() < 0.7:
            ephemeral = self.random.random() < 0.5
            self.connection.secretDefineXML(Secret(uuid, f"of {uuid}", ephemeral=ephemeral).xml)
            return
        try:
            self.connection.secretLookupByUUIDString(uuid).undefine()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
                raise


class IdleDaemonAfterManyClients(IdleCase):
    CLIENTS = 4

    def setUp(self) -> None:
        super().setUp()
        uuids = [Secret().uuid for _ in range(3)]
        changers = [Changer(self.daemon.open(), seed, uuids) for seed in range(self.CLIENTS)]
        for changer in changers:
            changer.start()
        for changer in changers:
            changer.join()
            self.assertIsNone(changer.fault)

    def remove_all(self) -> None:
        for secret in self.root.listAllSecrets():
            secret.undefine()

    def make_all_persistent(self) -> None:
        for secret in self.root.listAllSecrets():
            self.root.secretDefineXML(secret.XMLDesc().replace("ephemeral='yes'", "ephemeral='no'"))

    @stock_defect(NO_END + RENAME_RACE)
    def test_ends_when_all_are_gone(self) -> None:
        self.remove_all()
        self.assertEnds()

    @stock_defect(NO_END + RENAME_RACE)
    def test_ends_when_only_persistent_ones_are_left(self) -> None:
        self.make_all_persistent()
        self.assertEnds()

    def test_stays_for_the_one_that_is_left(self) -> None:
        self.remove_all()
        self.define(self.root, self.passing)
        self.assertStays()
        self.assertListed(self.root, self.passing)


class StoppedDaemon(SystemCase):
    def test_sigterm_ends_it_whatever_it_holds(self) -> None:
        """A hold is against idleness, not against the administrator."""
        daemon = self.start()
        lasting = Secret(usage="lasting")
        self.define(daemon.open(), lasting, b"value")
        self.define(daemon.open(), Secret(usage="passing", ephemeral=True), b"value")
        self.assertEqual(daemon.stop(), 0)
        self.assertListed(self.start().open(), lasting)
