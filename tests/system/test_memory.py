# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cores of libvirtd and of an embedded process, searched for values and keys."""

import unittest
from collections.abc import Mapping, Sequence

from harness.case import stock_defect
from harness.core import Core, cores_to, debugger_core, kernel_core
from harness.embedded import EmbeddedProcess
from harness.sealed_case import SealedCase
from harness.sealed_files import KeyFile, formats_in, key_id_of, sealed_in, secret_conf
from harness.secret_files import Secret, write_file, write_value
from harness.traces import Marker, pieces_of_key, round_keys
from harness.waiting import wait_for

FEW_THREADS = "min_workers = 1\nmax_workers = 2\nprio_workers = 1\nadmin_min_workers = 1\n"
# what malloc and the stacks of threads are made of, and what a thread copied last
OF_THE_PROCESS = {"[heap]", "anonymous memory", "registers"}


class SearchForTraces(unittest.TestCase):
    def test_round_keys_are_those_of_the_standard(self) -> None:
        # FIPS 197, A.3
        keys = round_keys(bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
        self.assertEqual(keys[14].hex(), "fe4890d1e6188d0b046df344706c631e")


class MemoryCase(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.cores = self.machine.home / "cores"
        self.cores.mkdir()
        self.first, self.second = self.new_key("first"), self.new_key("second")
        self.markers: dict[str, Marker] = {}

    def value(self, name: str) -> bytes:
        return self.markers.setdefault(name, Marker()).value

    def are_sealed_with(self, key: KeyFile, *secrets: Secret) -> bool:
        return all(formats_in(self.store, secret) == {"jwe"} and
                   key_id_of(sealed_in(self.store, secret)) == key.id for secret in secrets)

    def keys(self) -> dict[str, list[bytes]]:
        return {f"{name}, {what}": pieces
                for name, key in (("first", self.first), ("second", self.second))
                for what, pieces in pieces_of_key(key).items()}

    def values(self, *names: str) -> dict[str, list[bytes]]:
        return {f"{name}, {what}": pieces
                for name in names or self.markers for what, pieces in self.markers[name].pieces().items()}

    def assertHoldsNone(self, core: Core, *needles: Mapping[str, Sequence[bytes]]) -> None:
        for some in needles:
            found = [str(finding) for finding in core.findings(some)]
            self.assertEqual(found, [], f"{core.path.name} holds:")


class CoreOfADaemon(MemoryCase):
    """Everything goes through files and SIGHUP, so that no value passes libvirt's RPC."""

    def setUp(self) -> None:
        super().setUp()
        self.loaded, self.overwritten, self.removed = (Secret(usage=name) for name in "lor")
        for secret, name in ((self.loaded, "loaded"), (self.overwritten, "former"), (self.removed, "removed")):
            secret.write(self.store, self.value(name))

    def start_daemon(self):  # type: ignore[no-untyped-def]
        return self.start(configuration=FEW_THREADS, before=cores_to(self.cores))

    @stock_defect("loaded, value at")
    def test_values_that_are_not_sealed_on_disk(self) -> None:
        daemon = self.start_daemon()
        self.assertHoldsNone(debugger_core(daemon.pid, self.cores / "gcore"), self.values())
        self.assertHoldsNone(kernel_core(daemon.process, self.cores), self.values())

    @stock_defect("the values are sealed: did not happen")
    def test_values_and_keys_through_overwriting_removal_and_rotation(self) -> None:
        secrets = (self.loaded, self.overwritten, self.removed)
        self.configure(key=self.first, seal_existing=1)
        daemon = self.start_daemon()
        wait_for("the values are sealed", lambda: self.are_sealed_with(self.first, *secrets))
        write_value(self.overwritten.value_in(self.store), self.value("later"))
        self.removed.xml_in(self.store).unlink()
        sealed_in(self.store, self.removed).unlink()
        self.configure(key=self.second, earlier=[self.first], seal_existing=1)
        daemon.reload()
        wait_for("the values are re-encrypted",
                 lambda: self.are_sealed_with(self.second, self.loaded, self.overwritten))
        self.assertListed(daemon.open(), self.loaded, self.overwritten)

        core = debugger_core(daemon.pid, self.cores / "gcore")
        self.assertHoldsNone(core, self.values(), self.keys())
        self.assertHoldsNone(kernel_core(daemon.process, self.cores), self.values(), self.keys())


class CoreAfterClients(MemoryCase):
    """libvirt's RPC leaves values in memory that it frees; nothing else has them."""

    @stock_defect("loaded, value at")
    def test_only_what_passed_the_wire_is_there_and_only_on_the_heap(self) -> None:
        loaded, served, undefined = (Secret(usage=name) for name in "lsu")
        loaded.write(self.store, self.value("loaded"))
        self.configure(key=self.first, seal_existing=1)
        daemon = self.start(configuration=FEW_THREADS, before=cores_to(self.cores))
        writer = daemon.open()
        for secret, name in ((served, "former"), (served, "served"), (undefined, "undefined")):
            self.define(writer, secret, self.value(name))
        self.assertEqual(self.value_of(daemon.open(), served), self.value("served"))
        writer.secretLookupByUUIDString(undefined.uuid).undefine()
        # the driver refuses this one without a look at the value
        error = self.refusal(self.handle_of_nothing(writer).setValue, self.value("refused"))
        self.assertIn("no secret with matching uuid", str(error))
        self.configure(key=self.second, earlier=[self.first], seal_existing=1)
        daemon.reload()
        wait_for("the values are re-encrypted", lambda: self.are_sealed_with(self.second, loaded, served))

        for core in (debugger_core(daemon.pid, self.cores / "gcore"), kernel_core(daemon.process, self.cores)):
            self.assertHoldsNone(core, self.values("loaded"), self.keys())
            found = core.findings(self.values("former", "served", "undefined", "refused"))
            self.assertLessEqual({finding.region for finding in found}, OF_THE_PROCESS)
            self.assertEqual({name for name in (finding.needle for finding in found) if "base64" in name}, set())
            self.assertIn("refused, value", {finding.needle for finding in found})

    def handle_of_nothing(self, connection):  # type: ignore[no-untyped-def]
        handle = self.define(connection, Secret(usage="nothing"))
        connection.secretLookupByUUIDString(handle.UUIDString()).undefine()
        return handle


class CoreOfAnEmbeddedProcess(MemoryCase):
    """No wire, and a program that wipes its own copies: nothing is left."""

    def run_program(self, more: str = "") -> EmbeddedProcess:
        root = self.machine.home / "root"
        self.store, settings_file = root / "etc/secrets", root / "etc/secret.conf"
        loaded, served, undefined = (Secret(usage=name) for name in "lsu")
        loaded.write(self.store, self.value("loaded"))
        write_file(settings_file, secret_conf(key=self.first, seal_existing=1) + more)
        program = EmbeddedProcess(self.machine, before=cores_to(self.cores))
        self.addCleanup(program.close)
        program("open", f"secret:///embed?root={root}")
        for secret in (served, undefined):
            write_file(self.machine.home / "definition", secret.xml)
            program("define", self.machine.home / "definition")
        for secret, name in ((served, "former"), (served, "served"), (undefined, "undefined")):
            write_file(self.machine.home / "value", self.value(name))
            program("set", secret.uuid, self.machine.home / "value")
        program("undefine", undefined.uuid)
        program("close")
        self.assertTrue(self.are_sealed_with(self.first, loaded, served))
        write_file(settings_file,
                   secret_conf(key=self.second, earlier=[self.first], seal_existing=1) + more)
        program("open", f"secret:///embed?root={root}")
        for secret, name in ((served, "served"), (loaded, "loaded")):
            program("get", secret.uuid, self.machine.home / "answer")
            self.assertEqual((self.machine.home / "answer").read_bytes(), self.value(name))
        self.assertTrue(self.are_sealed_with(self.second, loaded, served))
        return program

    @stock_defect("the process ended")
    def test_locked_memory_is_in_no_core_but_a_debuggers_that_asks_for_it(self) -> None:
        program = self.run_program()
        everything = debugger_core(program.pid, self.cores / "gcore")
        self.assertHoldsNone(everything, self.values())
        found = everything.findings(self.keys())
        self.assertEqual({(finding.needle, finding.region) for finding in found},
                         {(f"{name}, {kind} key", "key memory")
                          for name in ("first", "second") for kind in ("raw", "sealing")})
        usual = debugger_core(program.pid, self.cores / "gcore-usual", everything=False)
        self.assertHoldsNone(usual, self.values(), self.keys())
        self.assertHoldsNone(kernel_core(program.process, self.cores), self.values(), self.keys())

    @stock_defect("the process ended")
    def test_secret_memory_is_in_no_core(self) -> None:
        program = self.run_program('key_memory = "secretmem"\n')
        everything = debugger_core(program.pid, self.cores / "gcore")
        self.assertHoldsNone(everything, self.values(), self.keys())

    @stock_defect("the process ended")
    def test_a_forked_child_has_neither_keys_nor_values(self) -> None:
        program = self.run_program()
        child = debugger_core(int(program("fork")), self.cores / "gcore-child")
        self.assertHoldsNone(child, self.values(), self.keys())
        self.assertNotIn("key memory", {str(region) for region in child.regions})
