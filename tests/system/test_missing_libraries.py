# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host without libsodium, which the module has in itself: apt's autoremove takes what nobody asked for."""

import ctypes.util

from harness.case import SystemCase
from harness.keyhold import Keyhold
from harness.secret_files import Secret


class MissingLibrary(SystemCase):
    def setUp(self) -> None:
        """An environment in which nothing starts that needs libsodium."""
        super().setUp()
        name = ctypes.util.find_library("sodium")
        assert name
        directory = self.machine.home / "broken"
        directory.mkdir(mode=0o755)
        (directory / name).write_bytes(b"")
        self.environment = {"LD_LIBRARY_PATH": str(directory)}
        preloaded = self.machine.run("true", env={**self.environment, "LD_PRELOAD": name})
        self.assertIn("file too short", preloaded.err, "the library is there")

    def test_the_daemon_runs_and_serves_secrets(self) -> None:
        connection = self.start(env=self.environment).open()
        secret = Secret()
        self.define(connection, secret, b"value")
        self.assertEqual(self.value_of(connection, secret), b"value")

    def test_keyhold_runs(self) -> None:
        self.start().stop()
        self.assertEqual(Keyhold(self.machine).run("verify", env=self.environment).code, 0)
