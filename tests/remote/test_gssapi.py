# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret+tcp://example.com/system: plain TCP, which SASL encrypts with Kerberos (GSSAPI)."""

from every_call import EveryCall
from example_host import NAME
from remote_case import RemoteCase
from servers import sasl
from servers.kerberos import KEYTAB, Kdc

URI = f"secret+tcp://{NAME}/system"
DAEMON = """
listen_tls = 0
listen_tcp = 1
auth_tcp = "sasl"
sasl_allowed_username_list = ["fred"]
"""
FAILED = ("error: authentication failed: Failed to start SASL negotiation: -1 (SASL(-1): generic failure: "
          "GSSAPI Error: ")


class GssapiCase(RemoteCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kdc = Kdc(cls.machine)
        cls.addClassCleanup(cls.kdc.close)
        for name in ("fred", "barney"):
            cls.kdc.add_user(name, "of bedrock")
        sasl.offer_gssapi(cls.machine, KEYTAB)
        cls.serve(arguments=["--listen"], configuration=DAEMON)
        cls.kdc.log_in("fred", "of bedrock")


class GssapiUri(EveryCall, GssapiCase):
    uri, encrypted = URI, True


class GssapiRefusals(GssapiCase):
    def test_no_ticket(self) -> None:
        self.kdc.log_out()
        self.assertRefused(URI, f"{FAILED}No credentials were supplied, or the credentials were unavailable or "
                           "inaccessible (No Kerberos credentials available ")

    def test_expired_ticket(self) -> None:
        self.kdc.log_in("fred", "of bedrock", "-l", "1s")
        self.kdc.wait_expired()
        self.assertRefused(URI, f"{FAILED}Unspecified GSS failure.  Minor code may provide more information "
                           "(Ticket expired)")

    def test_name_that_is_not_allowed(self) -> None:
        self.kdc.log_in("barney", "of bedrock")
        self.assertRefused(URI, "error: authentication failed: authentication failed",
                           logged="SASL client identity 'barney' not allowed by ACL")
