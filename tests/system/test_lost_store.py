# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon's store has gone, was exchanged or covered: what is at its place is not taken for it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from harness.encrypt_case import EncryptCase
from harness.secret_files import snapshot

STORE = "/etc/libvirt/secrets"


class LostStore(EncryptCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()
        self.on()
        self.archive = self.machine.home / "night.tar"
        self.commands = (("encrypt", "on"), ("encrypt", "off"), ("encrypt", "rotate", "--key", str(self.second)),
                         ("seal",), ("rekey",), ("unseal",), ("backup", "--force", str(self.archive)))
        self.keyhold.run("backup", str(self.archive)).ok()

    @contextmanager
    def gone(self) -> Iterator[None]:
        self.store.rename(self.etc / "away")
        yield
        (self.etc / "away").rename(self.store)

    @contextmanager
    def exchanged(self) -> Iterator[None]:
        with self.gone():
            self.store.mkdir(mode=0o700)
            yield
            shutil.rmtree(self.store)

    @contextmanager
    def covered(self) -> Iterator[None]:
        self.machine.run("mount", "-t", "tmpfs", "-o", "mode=0700", "none", STORE).ok()
        yield
        self.machine.unmount(STORE)

    def assertNothingIsDone(self, *words: str) -> None:
        before = snapshot(self.etc), self.archive.read_bytes()
        for command in self.commands:
            with self.subTest(command=command):
                result = self.keyhold.run(*command)
                self.assertEqual(result.code, 2, result.out + result.err)
                self.assertEqual(result.out, "")
                for word in words:
                    self.assertIn(word, result.err)
                self.assertEqual((snapshot(self.etc), self.archive.read_bytes()), before)
                self.assertFalse(self.second.exists())

    def test_it_has_gone(self) -> None:
        with self.gone():
            self.assertNothingIsDone("has gone, and libvirtd", "put it back")
            self.assertEqual(self.keyhold.findings(), [("store", "secrets")])
        self.assertAllWorks()

    def test_it_was_exchanged(self) -> None:
        with self.exchanged():
            self.assertNothingIsDone("is not the directory that libvirtd", "put that back")
            self.assertEqual(self.keyhold.findings(), [("store", "secrets")])
        self.assertAllWorks()

    def test_it_is_covered(self) -> None:
        with self.covered():
            self.assertNothingIsDone("is not the directory that libvirtd", "put that back")
            self.assertEqual(self.keyhold.findings(), [("store", "secrets")])
        self.assertAllWorks()

    def assertAllWorks(self) -> None:
        self.assertEqual(self.keyhold.findings(), [])
        self.assertEqual(self.rotate()["converted"], self.COUNT)
        self.keyhold.run("backup", "--force", str(self.archive)).ok()
        self.assertServed()
