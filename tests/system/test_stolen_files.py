# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody has who took the files of a host and not its key, and what putting files back does."""

import shutil

from harness.case import stock_defect
from harness.sealed_case import SealedCase
from harness.sealed_files import sealed_in
from harness.secret_files import Secret, snapshot
from harness.traces import Marker


class StolenFiles(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(key=self.key)
        self.begin()
        self.marker = Marker()
        self.define(self.root, self.secret, self.marker.value)

    @stock_defect(r"True is not false : \S+\.base64")
    def test_no_file_of_the_host_but_the_key_has_anything_of_the_value(self) -> None:
        passing = Secret(usage="in memory", ephemeral=True)
        self.define(self.root, passing, self.marker.value)
        self.assertEqual(self.value_of(self.root, self.secret), self.marker.value)
        self.daemon.reload()
        pieces = [piece for some in self.marker.pieces().values() for piece in some]
        files = [path for path in self.machine.home.rglob("*") if path.is_file() and not path.is_symlink()]
        for path in files:
            content = path.read_bytes()
            self.assertFalse(any(piece in content for piece in pieces), str(path))
        self.assertIn(sealed_in(self.store, self.secret), files)

    def test_the_search_finds_a_value_that_is_not_sealed(self) -> None:
        self.configure(encrypt=False)
        self.restart()
        other = Secret(usage="plain")
        self.define(self.root, other, self.marker.value)
        content = other.value_in(self.store).read_bytes()
        self.assertTrue(any(piece in content for piece in self.marker.pieces()["base64 of the value"]))

    @stock_defect("was not refused")
    def test_a_host_with_the_files_and_another_key_serves_nothing_of_them(self) -> None:
        self.assertEqual(self.daemon.stop(), 0)
        thief = self.new_machine()
        shutil.copytree(self.store, thief.store)
        shutil.copy(self.new_key("another").path, thief.home / "key")
        (thief.etc / "secret.conf").write_text(f'secrets_encryption_key = "{thief.home}/key"\n')
        connection = self.start(thief).open()
        self.assertListed(connection, self.secret)
        error = self.refusal(self.value_of, connection, self.secret)
        self.assertIn("which is not configured", str(error))


class FilesPutBack(SealedCase):
    """Not prevented, by decision: a file is not known to be the latest (docs/at-rest-format.md)."""

    @stock_defect("FileNotFoundError")
    def test_an_older_file_of_the_same_secret_and_key_counts(self) -> None:
        self.configure(key=self.key)
        self.begin()
        handle = self.define(self.root, self.secret, b"older")
        older = sealed_in(self.store, self.secret).read_bytes()
        handle.setValue(b"newer")
        sealed_in(self.store, self.secret).write_bytes(older)
        self.daemon.reload()
        self.assertValue(b"older")
        self.assertEqual(len(snapshot(self.store)), 2)
