# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody on the network can read of a value that is set and read over it."""

from example_host import NAME
from harness.secret_files import Secret
from remote_case import RemoteCase
from servers.wiretap import Wiretap
from test_gssapi import GssapiCase
from tls_case import TlsCase

VALUE = b"what is to be kept from the wire"


class WireCase(RemoteCase):
    def heard(self, uri: str) -> bytes:
        wiretap = Wiretap(self.machine)
        self.addCleanup(wiretap.close)
        secret = Secret(usage="over the wire")
        definition, value = self.machine.home / "definition.xml", self.machine.home / "value"
        definition.write_text(secret.xml)
        value.write_bytes(VALUE)
        answer = self.machine.virsh(
            f"secret-define {definition}; secret-set-value {secret.uuid} --plain --file {value};"
            f" secret-get-value {secret.uuid} --plain", uri=uri).ok()
        self.assertIn(VALUE.decode(), answer)
        return wiretap.heard()


class WireWithoutEncryption(WireCase):
    """The listener is not deaf."""

    def test_values_are_read_by_everybody(self) -> None:
        self.serve(arguments=["--listen"],
                   configuration='listen_tls = 0\nlisten_tcp = 1\nauth_tcp = "none"\n')
        self.assertIn(VALUE, self.heard(f"secret+tcp://{NAME}/system"))


class WireWithTls(WireCase, TlsCase):
    def test_values_cannot_be_read(self) -> None:
        self.assertNotIn(VALUE, self.heard(f"secret://{NAME}/system"))


class WireWithKerberos(WireCase, GssapiCase):
    def test_values_cannot_be_read(self) -> None:
        self.assertNotIn(VALUE, self.heard(f"secret+tcp://{NAME}/system"))
