# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon says of itself where nobody has set a level: libvirt writes warnings and errors then."""

import os
import socket

import libvirt

from harness.sealed_case import SealedCase
from harness.secret_files import Secret
from harness.waiting import wait_for

MANY = 51


class DefaultLevel(SealedCase):
    """The daemon's libvirtd.conf has no filter for the source of these lines, and libvirt's own level."""

    def setUp(self) -> None:
        super().setUp()
        self.secrets = [Secret(usage=f"number {number}") for number in range(MANY)]

    def begin(self, **options: object) -> None:
        self.daemon = self.start(**options)
        self.root = self.daemon.open()

    def said(self, text: str) -> list[str]:
        return [line for line in self.daemon.log().splitlines() if text in line]

    def assertSaid(self, text: str, times: int = 1) -> None:
        self.assertEqual(len(self.said(text)), times, self.daemon.log())

    def lose_key(self) -> None:
        self.store_sealed(*self.secrets)
        self.key.path.unlink()

    def test_a_start_says_how_many_secrets_it_serves_and_from_where(self) -> None:
        self.begin()
        self.assertSaid("0 secrets are served from '/etc/libvirt/secrets'")
        self.define(self.root, self.secret, b"value")
        self.restart()
        self.assertSaid("1 secret is served from '/etc/libvirt/secrets'")

    def test_a_lost_key_is_one_line_at_a_start_and_none_at_a_reload_without_news(self) -> None:
        self.lose_key()
        self.begin()
        lost = f"{MANY} secrets are served without their values"
        self.assertSaid(lost)
        [line] = self.said(lost)
        for words in (self.key.id, str(self.key.path), "and reload", "'keyhold verify --verbose'"):
            self.assertIn(words, line)
        self.assertNotIn("nothing was sealed", line)
        self.assertSaid(f"{MANY} of them without their values")
        self.daemon.reload()
        self.assertSaid(lost)
        self.root.secretLookupByUUIDString(self.secrets[0].uuid).undefine()
        self.daemon.reload()
        self.assertSaid(lost)
        self.assertSaid(f"{MANY - 1} secrets are served without their values")
        self.assertEqual(sum(bool(self.said(secret.uuid)) for secret in self.secrets), 1)  # the example

    def test_a_key_that_goes_at_a_reload_is_one_line(self) -> None:
        self.store_sealed(*self.secrets)
        self.begin()
        self.key.path.unlink()
        self.daemon.reload()
        self.assertSaid(f"{MANY} secrets keep the values they had")
        self.assertValue(b"value", *self.secrets)

    def test_begin_and_end_of_a_reencryption(self) -> None:
        self.store_sealed(*self.secrets)
        self.configure(key=self.new_key("next"), earlier=[self.key])
        self.begin()
        wait_for("the re-encryption ends", lambda: self.said(f"re-encrypted {MANY} of {MANY} values"))
        self.assertSaid(f"re-encrypting {MANY} stored values")

    def test_the_end_says_how_many_ephemeral_secrets_end(self) -> None:
        self.begin()
        self.define(self.root, self.secret, b"stays")
        self.restart()
        self.assertSaid("ephemeral", times=0)
        for usage in ("one", "two"):
            self.define(self.root, Secret(usage=usage, ephemeral=True), b"passes")
        self.restart()
        self.assertSaid("2 ephemeral secrets end with this process")

    def test_an_unreadable_value_names_the_host(self) -> None:
        self.lose_key()
        self.begin()
        with self.assertRaises(libvirt.libvirtError) as raised:
            self.value_of(self.root, self.secrets[0])
        self.assertIn(f"is unreadable on host '{socket.gethostname()}': ", str(raised.exception))

    def test_a_key_file_with_the_wrong_mode_says_to_reload(self) -> None:
        self.key.path.chmod(0o644)
        self.configure(key=self.key)
        self.begin()
        self.assertSaid(f"chmod 0600 {self.key.path} and reload")
        os.chmod(self.key.path, 0o600)
        self.daemon.reload()
        self.define(self.root, self.secret, b"value")
        self.assertSealedWith(self.key, self.secret)

    def test_the_first_wrong_path_is_told_what_makes_a_key(self) -> None:
        self.configure(key=self.machine.home / "no-such-key")
        self.begin()
        self.assertSaid("if nothing was sealed yet, 'keyhold encrypt on' makes one")
