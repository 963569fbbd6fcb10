# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the keys rest in: what is asked for, an old kernel, and limits of locked memory."""

import os
from collections.abc import Sequence
from pathlib import Path

from harness.case import SystemCase, stock_defect
from harness.core import regions
from harness.daemon import Daemon
from harness.embedded import EmbeddedProcess
from harness.machine import User
from harness.sealed_files import KeyFile, secret_conf
from harness.secret_files import Secret, write_file

# root is bound by no limit of locked memory as long as it has this capability
BOUND = ("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--")
# the first value is sealed on disk: no release that this can be compared with does so
NOT_SEALED = r"False is not true : \S+\.jwe"


def limited(size: int) -> list[str]:
    return ["prlimit", f"--memlock={size}:{size}"]


class MemoryLimitsCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.trace = self.machine.home / "memfd_secret.strace"

    def old_kernel(self) -> list[str]:
        """What makes a command meet a kernel without memfd_secret."""
        self.trace.touch()
        self.trace.chmod(0o666)
        # -D: the daemon stays the process that was started
        return ["strace", "-D", "-f", "-o", str(self.trace), "-e", "trace=memfd_secret",
                "-e", "inject=memfd_secret:error=ENOSYS"]

    def configure(self, directory: Path, user: User | None = None, more: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / "key", os.urandom(32))
        write_file(directory / "secret.conf", f'secrets_encryption_key = "{directory}/key"\n{more}', 0o644)
        if user:
            user.owns(directory, directory / "key", directory / "secret.conf")

    def started(self, before: Sequence[str] = (), user: User | None = None, more: str = "") -> Daemon:
        """A daemon of which sealed values were made, used, and found again after a reload."""
        self.configure(user.home / "config/libvirt" if user else self.machine.etc, user, more)
        daemon = self.start(user=user, before=before)
        store = user.store if user else self.machine.store
        secret, connection = Secret(usage="a"), daemon.open()
        self.define(connection, secret, b"value")
        sealed = store / f"{secret.uuid}.jwe"
        self.assertTrue(sealed.exists(), f"{sealed}")
        daemon.reload()
        self.define(connection, Secret(usage="b"), b"value")
        self.assertEqual(self.value_of(connection, secret), b"value")
        return daemon

    def lines(self, daemon: Daemon) -> list[str]:
        """What the log says of the memory."""
        words = ("keys rest in", "are not locked", "memfd_secret", "RLIMIT_MEMLOCK")
        return [line for line in daemon.log().splitlines() if any(word in line for word in words)]

    def assertOneLine(self, daemon: Daemon, *words: str) -> None:
        lines = self.lines(daemon)
        self.assertEqual(len(lines), 1, lines)
        for word in words:
            self.assertIn(word, lines[0])

    def kinds(self, pid: int) -> list[str]:
        """One word for each mapping of keys."""
        found = []
        for region in regions(pid):
            if region.name.startswith("/secretmem"):
                found.append("secretmem")
            elif str(region) == "key memory":
                found.append("locked" if "lo" in region.flags else "unlocked")
        return found


class WhatIsAskedFor(MemoryLimitsCase):
    @stock_defect(NOT_SEALED)
    def test_the_system_instance_has_one_mapping_of_secret_memory_and_says_nothing(self) -> None:
        daemon = self.started()
        self.assertEqual(self.kinds(daemon.pid), ["secretmem"])
        self.assertEqual(self.lines(daemon), [])

    def test_without_keys_and_values_there_is_none_and_the_machine_may_hibernate(self) -> None:
        daemon = self.start()
        self.define(daemon.open(), Secret(usage="a"))
        self.assertEqual(self.kinds(daemon.pid), [])

    def test_without_a_key_of_secret_conf_there_is_no_secret_memory_until_one_comes(self) -> None:
        daemon = self.start()
        self.define(daemon.open(), Secret(usage="a"), b"value")
        self.assertEqual(self.kinds(daemon.pid), ["locked"])
        key = KeyFile.make(self.machine.home / "late key")
        write_file(self.machine.etc / "secret.conf", secret_conf(key=key))
        daemon.reload()
        self.assertEqual(sorted(self.kinds(daemon.pid)), ["locked", "secretmem"])

    @stock_defect(NOT_SEALED)
    def test_a_session_has_one_mapping_of_locked_pages(self) -> None:
        daemon = self.started(user=self.machine.one)
        self.assertEqual(self.kinds(daemon.pid), ["locked"])
        self.assertEqual(self.lines(daemon), [])

    @stock_defect(NOT_SEALED)
    def test_the_setting_chooses_either_for_either_instance(self) -> None:
        for user, choice in ((None, "locked"), (self.machine.one, "secretmem"), (self.machine.two, "locked")):
            daemon = self.started(user=user, more=f'key_memory = "{choice}"\n')
            self.assertEqual(self.kinds(daemon.pid), [choice])
            self.assertEqual(self.lines(daemon), [])

    @stock_defect(r"\[\] != \['secretmem'\]")
    def test_a_broken_secret_conf_does_not_weaken_the_system_instance(self) -> None:
        (self.machine.etc / "secret.conf").write_text("= = garbage\n")
        Secret(usage="a").write(self.machine.store, b"value")
        self.assertEqual(self.kinds(self.start().pid), ["secretmem"])


class OldKernel(MemoryLimitsCase):
    @stock_defect(NOT_SEALED)
    def test_keys_rest_in_locked_pages_and_one_line_says_so(self) -> None:
        daemon = self.started(before=self.old_kernel())
        self.assertRegex(self.trace.read_text(), r"memfd_secret\(O_CLOEXEC\) += -1 ENOSYS .*INJECTED")
        self.assertEqual(self.kinds(daemon.pid), ["locked"])
        self.assertOneLine(daemon, "keys rest in locked memory: memfd_secret is unavailable: ",
                           "Function not implemented", 'key_memory = "locked" in secret.conf')

    @stock_defect(NOT_SEALED)
    def test_where_locked_pages_are_asked_for_nothing_is_said(self) -> None:
        daemon = self.started(before=self.old_kernel(), more='key_memory = "locked"\n')
        self.assertNotIn("memfd_secret(", self.trace.read_text())
        self.assertEqual(self.kinds(daemon.pid), ["locked"])
        self.assertEqual(self.lines(daemon), [])

    @stock_defect(NOT_SEALED)
    def test_with_no_memory_to_lock_either_it_is_still_one_line(self) -> None:
        daemon = self.started(before=[*BOUND, *limited(0), *self.old_kernel()])
        self.assertEqual(self.kinds(daemon.pid), ["unlocked"])
        self.assertOneLine(daemon, "keys rest in unlocked memory: ", "memfd_secret is unavailable",
                           "plain values in use are not locked", "raise the limit of locked memory")


class LimitOfLockedMemory(MemoryLimitsCase):
    @stock_defect(NOT_SEALED)
    def test_none_for_the_system_instance(self) -> None:
        daemon = self.started(before=[*BOUND, *limited(0)])
        self.assertEqual(self.kinds(daemon.pid), ["unlocked"])
        self.assertOneLine(daemon, "keys rest in unlocked memory: ", "RLIMIT_MEMLOCK")

    @stock_defect(NOT_SEALED)
    def test_none_for_a_session(self) -> None:
        daemon = self.started(before=limited(0), user=self.machine.one)
        self.assertEqual(self.kinds(daemon.pid), ["unlocked"])
        self.assertOneLine(daemon, "keys rest in unlocked memory: ", "RLIMIT_MEMLOCK")

    @stock_defect(NOT_SEALED)
    def test_enough_for_keys_and_short_values(self) -> None:
        daemon = self.started(before=[*BOUND, *limited(128 * 1024)])
        self.assertEqual(self.kinds(daemon.pid), ["secretmem"])
        self.assertEqual(self.lines(daemon), [])
        self.define(daemon.open(), Secret(usage="long"), b"v" * 50_000)
        daemon.reload()  # which reads it
        self.assertOneLine(daemon, "plain values in use are not locked", "RLIMIT_MEMLOCK")

    @stock_defect(r"0 != 1 : \[\]")
    def test_without_a_key_in_secret_conf_it_is_told_as_well(self) -> None:
        daemon = self.start(before=[*BOUND, *limited(0)])
        secret, connection = Secret(usage="a"), daemon.open()
        self.define(connection, secret, b"value")
        daemon.reload()
        self.assertEqual(self.value_of(connection, secret), b"value")
        self.assertOneLine(daemon, "keys rest in unlocked memory: ", "RLIMIT_MEMLOCK")

    @stock_defect("the process ended")
    def test_none_for_an_embedded_process(self) -> None:
        root, secret = self.machine.home / "root", Secret(usage="a")
        self.configure(root / "etc")
        program = EmbeddedProcess(self.machine, before=[*BOUND, *limited(0)])
        self.addCleanup(program.close)
        program("open", f"secret:///embed?root={root}")
        write_file(self.machine.home / "definition", secret.xml)
        write_file(self.machine.home / "value", b"value")
        program("define", self.machine.home / "definition")
        for _ in range(2):
            program("set", secret.uuid, self.machine.home / "value")
            program("close")
            program("open", f"secret:///embed?root={root}")
        program("get", secret.uuid, self.machine.home / "answer")
        self.assertEqual((self.machine.home / "answer").read_bytes(), b"value")
        self.assertEqual(self.kinds(program.pid), ["unlocked"])
        self.assertEqual(program.log_file.read_text().count("keys rest in unlocked memory: "), 1)
