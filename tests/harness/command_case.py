# SPDX-License-Identifier: LGPL-2.1-or-later
"""A store with plain values and two keys, for the operator's command."""

import shutil
from typing import Any

from .case import SystemCase
from .daemon import Daemon
from .keyhold import Keyhold, StoreAssertions
from .sealed_files import KeyFile, secret_conf
from .secret_files import Secret, write_file
from .settings import MODULE_NAME, installed_driver_dir


class CommandCase(SystemCase, StoreAssertions):
    """`configure` writes the secret.conf of the system instance."""

    COUNT = 3

    def setUp(self) -> None:
        super().setUp()
        self.etc, self.store = self.machine.etc, self.machine.store
        self.keyhold = Keyhold(self.machine)
        self.secrets = [Secret(usage=f"use {n}") for n in range(self.COUNT)]
        self.values = [f"value number {n}".encode() for n in range(self.COUNT)]
        for secret, value in zip(self.secrets, self.values):
            secret.write(self.store, value)
        self.key = KeyFile.make(self.machine.home / "key")
        self.other_key = KeyFile.make(self.machine.home / "other-key")

    def configure(self, key: KeyFile | None = None, **more: Any) -> None:
        write_file(self.etc / "secret.conf", secret_conf(key=key or self.key, **more))

    def start_stock(self) -> Daemon:
        """A daemon with libvirt's own driver, and no other module."""
        drivers = self.machine.home / "stock"
        drivers.mkdir(mode=0o755, exist_ok=True)
        shutil.copyfile(installed_driver_dir() / MODULE_NAME, drivers / MODULE_NAME)
        return self.start(driver_dir=str(drivers))

    # --- beside a daemon -------------------------------------------------------------------

    def begin(self) -> None:
        self.daemon = self.start()
        self.connection = self.daemon.open()

    def assertServed(self) -> None:
        self.assertIsNone(self.daemon.process.poll())
        for secret, value in zip(self.secrets, self.values):
            self.assertEqual(self.value_of(self.connection, secret), value)

    def assertNewValueIs(self, form: str) -> None:
        secret = Secret(usage="new")
        handle = self.define(self.connection, secret, b"new")
        self.assertTrue((self.store / f"{secret.uuid}.{form}").exists())
        handle.undefine()
