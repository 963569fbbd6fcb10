# SPDX-License-Identifier: LGPL-2.1-or-later
"""SASL with SCRAM-SHA-256: names and passwords, over TLS and over the unix socket."""

from every_call import EveryCall
from example_host import NAME
from servers import sasl
from tls_case import DAEMON as TLS_DAEMON
from tls_case import TlsCase

DAEMON = TLS_DAEMON + """
listen_tcp = 1
auth_tls = "sasl"
auth_tcp = "sasl"
auth_unix_rw = "sasl"
auth_unix_ro = "sasl"
"""


class ScramCase(TlsCase):
    configuration = DAEMON

    @classmethod
    def before_serving(cls) -> None:
        sasl.offer_scram(cls.machine)
        sasl.add_user(cls.machine, "fred", "of bedrock")
        sasl.remember_password(cls.machine, "fred", "of bedrock")


class ScramOverTls(EveryCall, ScramCase):
    uri, encrypted = f"secret://{NAME}/system", True


class ScramOverTheUnixSocket(EveryCall, ScramCase):
    # libvirt takes every SASL session for an encrypted one
    uri, encrypted = "secret+unix:///system", True


class ScramOfAUser(ScramOverTheUnixSocket):
    """An unprivileged one, with an auth.conf below the home directory."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.user = cls.machine.one
        directory = cls.user.home / "config/libvirt"
        directory.mkdir()
        (cls.machine.etc / "auth.conf").rename(directory / "auth.conf")
        cls.user.owns(directory, directory / "auth.conf")


class ScramRefusals(ScramCase):
    FAILED = "error: authentication failed: authentication failed"

    def test_wrong_password(self) -> None:
        sasl.remember_password(self.machine, "fred", "of elsewhere")
        for uri in (f"secret://{NAME}/system", "secret+unix:///system", "secret:///system"):
            with self.subTest(uri=uri):
                self.assertRefused(uri, self.FAILED,
                                   logged="SASL(-13): authentication failure: StoredKey mismatch")

    def test_unknown_name(self) -> None:
        sasl.remember_password(self.machine, "barney", "of bedrock")
        self.assertRefused(f"secret://{NAME}/system", self.FAILED, logged="SASL(-13): user not found")

    def test_no_password_at_hand(self) -> None:
        (self.machine.etc / "auth.conf").unlink()
        self.assertRefused(f"secret://{NAME}/system",
                           "SASL(-1): generic failure: All-whitespace username.")

    def test_program_that_could_not_ask_for_a_password(self) -> None:
        """Not even where auth.conf has it."""
        sasl.remember_password(self.machine, "fred", "of bedrock")
        program = f"import libvirt; libvirt.open('secret://{NAME}/system')"
        self.assertIn("SASL(-4): no mechanism available: No worthy mechs found",
                      self.machine.run("/usr/bin/python3", "-c", program).failed())

    def test_plain_tcp(self) -> None:
        """What does not encrypt is not offered there, whatever the password."""
        sasl.remember_password(self.machine, "fred", "of bedrock")
        self.assertRefused(f"secret+tcp://{NAME}/system", self.FAILED,
                           logged="internal error: no SASL mechanisms are available")
