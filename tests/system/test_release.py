# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirt that is too old, lacks a symbol, or is newer than any that was tested."""

from pathlib import Path

from harness.case import SystemCase, stock_defect
from harness.daemon import Daemon, loaded
from harness.patched_libvirt import LIBRARY, of_version, without_symbol
from harness.secret_files import Secret

OURS = "Keyhold"


class UnknownRelease(SystemCase):
    def start_with(self, directory: str) -> Daemon:
        return self.start(env={"LD_LIBRARY_PATH": directory})

    def said(self, daemon: Daemon) -> list[str]:
        """Our lines of the log, less what libvirt puts in front."""
        lines = [line for line in daemon.log().splitlines() if OURS in line]
        return [OURS + line.split(OURS, 1)[1] for line in lines]

    def assertRefused(self, directory: str, word: str) -> None:
        """The daemon runs, has said why in one line, and says the same to whoever opens a connection."""
        daemon = self.launch(env={"LD_LIBRARY_PATH": directory})
        reports = []
        for _ in range(2):
            daemon.answers()
            reports.append(self.refusal(daemon.open).get_error_message())
        self.assertEqual(len(set(reports)), 1, reports)
        sentence = reports[0][reports[0].index(OURS):]
        self.assertIn(word, sentence)
        # the log repeats an error for each client that met it: the first line came before any
        self.assertEqual(set(self.said(daemon)), {sentence})
        self.assertIsNone(daemon.process.poll())
        self.assertEqual(daemon.stop(), 0)

    @stock_defect("libvirtd ended")
    def test_a_missing_access_check_is_named(self) -> None:
        symbol = "virSecretUndefineEnsureACL"
        self.assertRefused(without_symbol(symbol, self.machine.home / "lib64"), symbol)

    @stock_defect("libvirtd ended")
    def test_a_missing_list_filter_is_named(self) -> None:
        symbol = "virConnectListAllSecretsCheckACL"
        self.assertRefused(without_symbol(symbol, self.machine.home / "lib64"), symbol)

    @stock_defect("3 != 0 : the daemon does not end as an idle one does")
    def test_one_line_is_logged_before_any_client_asks(self) -> None:
        symbol = "virSecretUndefineEnsureACL"
        directory = without_symbol(symbol, self.machine.home / "lib64")
        daemon = self.launch(env={"LD_LIBRARY_PATH": directory}, arguments=("--timeout", "1"))
        self.assertEqual(daemon.wait(), 0, "the daemon does not end as an idle one does")
        self.assertEqual(len([line for line in daemon.log().splitlines() if symbol in line]), 1)

    @stock_defect("was not refused")
    def test_a_release_that_is_too_old_is_named(self) -> None:
        self.assertRefused(of_version(8_010_000, self.machine.home / "lib64"), "8.10.0")

    @stock_defect("0 != 1")
    def test_a_release_newer_than_any_tested_is_served_with_one_warning(self) -> None:
        daemon = self.start_with(of_version(99_009_000, self.machine.home / "lib64"))
        root = daemon.open()
        secret = Secret(usage="a")
        self.define(root, secret, b"value")
        self.assertEqual(self.value_of(root, secret), b"value")
        self.assertEqual(len([line for line in self.said(daemon) if "99.9.0" in line]), 1)

    def test_the_altered_library_is_loaded_and_says_what_it_was_altered_to(self) -> None:
        directory = of_version(9_000_001, self.machine.home / "lib64")
        code = "import libvirt; print(libvirt.getVersion())"
        said = self.machine.run("/usr/bin/python3", "-c", code, env={"LD_LIBRARY_PATH": directory}).ok()
        self.assertEqual(said, "9000001")
        daemon = self.start_with(directory)
        self.assertEqual(loaded(daemon.pid, LIBRARY), {Path(directory, LIBRARY).stat().st_ino})
