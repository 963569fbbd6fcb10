# SPDX-License-Identifier: LGPL-2.1-or-later
"""`libvirtd --timeout`: one hold keeps the daemon exactly while an ephemeral secret exists."""

import subprocess

import libvirt

from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon
from harness.secret_files import Secret
from harness.waiting import wait_for

SECONDS = 1
STAYS = "libvirtd does not end"


class IdleCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.launch_idle()
        # the first connection is kept: between two the daemon might end
        self.root = wait_for("libvirtd answers", self.try_open)
        self.passing = Secret(usage="passing", ephemeral=True)
        self.lasting = Secret(self.passing.uuid, "passing")

    def launch_idle(self) -> Daemon:
        return self.launch(arguments=("--timeout", str(SECONDS)))

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
        """Idle for several times its timeout, the daemon is there with the secret."""
        self.daemon.close_connections()
        # the wait can only be too short to catch a wrong end, never be a wrong failure
        self.assertRaises(subprocess.TimeoutExpired, self.daemon.process.wait, 4 * SECONDS)
        self.root = self.daemon.open()
        self.assertListed(self.root, self.passing)


class IdleDaemonEnds(IdleCase):
    tests_apart = True

    def test_without_secrets_it_ends(self) -> None:
        self.assertEnds()

    def test_with_persistent_secrets_it_ends(self) -> None:
        self.define(self.root, self.lasting, b"value")
        self.assertEnds()

    @stock_defect(STAYS)
    def test_defined_twice_and_undefined_once_it_ends(self) -> None:
        self.define(self.root, self.passing)
        self.define(self.root, self.passing).undefine()
        self.assertEnds()

    @stock_defect(STAYS)
    def test_with_two_that_went_one_by_one_it_ends(self) -> None:
        first, second = Secret(usage="a", ephemeral=True), Secret(usage="b", ephemeral=True)
        for secret in (first, second):
            self.define(self.root, secret)
        for secret in (first, second):
            self.root.secretLookupByUUIDString(secret.uuid).undefine()
        self.assertEnds()

    @stock_defect(STAYS)
    def test_redefined_persistent_it_ends(self) -> None:
        self.define(self.root, self.passing)
        self.define(self.root, self.lasting)
        self.assertEnds()

    @stock_defect(STAYS)
    def test_back_and_forth_it_ends(self) -> None:
        for secret in (self.passing, self.lasting, self.passing, self.lasting):
            self.define(self.root, secret)
        self.assertEnds()

    @stock_defect(STAYS)
    def test_made_persistent_by_a_reload_it_ends(self) -> None:
        self.define(self.root, self.passing)
        self.lasting.write(self.machine.store)
        self.daemon.reload()
        self.assertEnds()


class IdleDaemonStays(IdleCase):
    tests_apart = True

    def test_while_an_ephemeral_secret_exists_it_stays(self) -> None:
        self.define(self.root, self.passing, b"value")
        self.assertStays()
        self.assertEqual(self.value_of(self.root, self.passing), b"value")
        self.root.secretLookupByUUIDString(self.passing.uuid).undefine()
        self.assertEnds()

    def test_with_one_of_two_left_it_stays(self) -> None:
        other = self.define(self.root, Secret(usage="other", ephemeral=True))
        self.define(self.root, self.passing)
        other.undefine()
        self.assertStays()

    def test_redefined_ephemeral_it_stays_and_ends_after_it(self) -> None:
        self.define(self.root, self.lasting)
        self.define(self.root, self.passing)
        self.assertStays()
        self.root.secretLookupByUUIDString(self.passing.uuid).undefine()
        self.assertEnds()

    @stock_defect(STAYS)
    def test_other_and_failed_changes_move_nothing(self) -> None:
        self.define(self.root, self.passing)
        lasting = Secret(usage="lasting")
        self.define(self.root, lasting)
        self.refusal(self.root.secretDefineXML, "<secret ephemeral='yes'><uuid>bad</uuid></secret>")
        self.refusal(self.root.secretDefineXML, Secret(usage="passing", ephemeral=True).xml)
        self.root.secretLookupByUUIDString(lasting.uuid).undefine()
        self.assertStays()
        self.root.secretLookupByUUIDString(self.passing.uuid).undefine()
        self.assertEnds()

    def test_a_reload_moves_nothing(self) -> None:
        self.define(self.root, self.passing)
        for _ in range(3):
            self.daemon.reload()
        self.assertStays()
        self.root.secretLookupByUUIDString(self.passing.uuid).undefine()
        self.assertEnds()
