# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host whose daemon listens for TLS, and whose root has a certificate that it lets in."""

from example_host import NAME
from remote_case import RemoteCase
from servers.certificates import Authority

DAEMON = """
listen_tls = 1
tls_allowed_dn_list = ["O=Example,CN=client"]
"""


class TlsCase(RemoteCase):
    configuration = DAEMON

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.pki = cls.machine.system_etc / "pki"
        cls.authority = Authority(cls.machine, "Example CA")
        cls.authority.install(cls.pki)
        cls.authority.server(NAME).install(cls.pki, "server")
        cls.client = cls.authority.client("client")
        cls.client.install(cls.pki, "client")
        cls.before_serving()
        cls.serve(arguments=["--listen"], configuration=cls.configuration)

    @classmethod
    def before_serving(cls) -> None:
        """For what else the daemon needs."""
