# SPDX-License-Identifier: LGPL-2.1-or-later
"""Thousands of secrets: the end of a daemon that still loads them, and their list."""

import os
import time
from pathlib import Path

import libvirt

from harness.case import SystemCase
from harness.daemon import Daemon
from harness.secret_files import Secret
from harness.waiting import wait_for

# what the protocol lets one list carry
LIST_LIMIT = 16384
LOADED = 20_000


def fill(store: Path, count: int) -> None:
    store.mkdir(mode=0o700)
    for number in range(count):
        secret = Secret(f"00000000-0000-4000-8000-{number:012x}", f"client.{number}")
        for name, content in (("xml", secret.xml), ("base64", "c2VjcmV0")):
            with open(f"{store}/{secret.uuid}.{name}", "w") as file:
                file.write(content)


def stamps(store: Path) -> dict[str, tuple[int, int, int]]:
    with os.scandir(store) as entries:
        return {entry.name: ((found := entry.stat()).st_ino, found.st_size, found.st_mtime_ns)
                for entry in entries}


class LoadOfManySecrets(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        fill(self.store, LOADED)

    def has_store_open(self, daemon: Daemon) -> bool:
        store = self.store.stat()
        for entry in Path(f"/proc/{daemon.pid}/fd").iterdir():
            try:
                found = entry.stat()
            except FileNotFoundError:
                continue
            if (found.st_dev, found.st_ino) == (store.st_dev, store.st_ino):
                return True
        return False

    def test_a_daemon_that_is_stopped_while_it_loads_ends_cleanly_and_spoils_nothing(self) -> None:
        before = stamps(self.store)
        for pause in (0, 0.005, 0.02, 0.08, 0.3):
            daemon = self.launch()
            wait_for("the load begins", lambda: self.has_store_open(daemon))
            time.sleep(pause)  # another moment of the load each time
            self.assertEqual(daemon.stop(), 0, f"{pause} s into the load: {daemon.log()[-2000:]}")
            self.assertEqual(stamps(self.store), before)
        root = self.start(patience=900).open()
        self.assertEqual(root.numOfSecrets(), LOADED)
        last = root.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, f"client.{LOADED - 1}")
        self.assertEqual(last.value(), b"secret")


class ListOfManySecrets(SystemCase):
    def test_as_many_as_the_protocol_carries_are_listed_and_one_more_is_its_error(self) -> None:
        fill(self.machine.store, LIST_LIMIT)
        root = self.start(patience=900).open()
        secrets = root.listAllSecrets()
        self.assertEqual(len(secrets), LIST_LIMIT)
        self.assertEqual({secret.usageID() for secret in secrets},
                         {f"client.{number}" for number in range(LIST_LIMIT)})
        self.assertEqual(len(set(root.listSecrets())), LIST_LIMIT)
        self.define(root, Secret(usage="one more"))
        self.assertEqual(root.numOfSecrets(), LIST_LIMIT + 1)
        error = self.refusal(root.listAllSecrets)
        self.assertIn("Too many secrets", str(error))
        self.assertEqual(len(root.listAllSecrets(libvirt.VIR_CONNECT_LIST_SECRETS_EPHEMERAL)), 0)
