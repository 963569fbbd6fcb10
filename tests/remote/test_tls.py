# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret://example.com/system: TLS, server and client with X.509 certificates."""

import shutil

from every_call import EveryCall
from example_host import NAME, OTHER_NAME
from harness.case import stock_defect
from servers.certificates import EXPIRED, Authority, Credentials
from tls_case import TlsCase

URI = f"secret://{NAME}/system"
UNCHECKED = f"{URI}?no_sanity=1"  # the client leaves it to the server to judge its certificate


class TlsUri(EveryCall, TlsCase):
    uri, encrypted = URI, True


class TlsUriOfAUser(EveryCall, TlsCase):
    """An unprivileged one, with a certificate below the home directory."""

    uri, encrypted = URI, True

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.user = cls.machine.one
        shutil.rmtree(cls.pki / "libvirt/private")
        cls.client.install_for(cls.user, cls.authority)


class TlsRefusals(TlsCase):
    """What libvirt's client finds out by itself it says; what the server finds, only the server's log."""

    def setUp(self) -> None:
        self.client.install(self.pki, "client")

    def present(self, credentials: Credentials) -> None:
        credentials.install(self.pki, "client")

    def assertServerRefuses(self, uri: str, reason: str) -> None:
        self.assertRefused(uri, "Unable to read TLS confirmation: Input/output error", logged=reason)

    def test_client_without_a_certificate(self) -> None:
        (self.pki / "libvirt/clientcert.pem").unlink()
        (self.pki / "libvirt/private/clientkey.pem").unlink()
        self.assertServerRefuses(URI, "Unable to verify TLS peer: No certificate was found.")

    def test_certificate_of_another_authority(self) -> None:
        self.present(Authority(self.machine, "Other CA").client("client"))
        self.assertRefused(URI, "Our own certificate /etc/pki/libvirt/clientcert.pem failed validation "
                           "against /etc/pki/CA/cacert.pem: The certificate hasn't got a known issuer.")

    def test_certificate_of_another_authority_that_the_client_does_not_check(self) -> None:
        # GnuTLS sends no certificate of an authority whose name the server did not give
        self.present(Authority(self.machine, "Other CA").client("client"))
        self.assertServerRefuses(UNCHECKED, "Unable to verify TLS peer: No certificate was found.")
        self.present(Authority(self.machine, "Example CA").client("client"))
        self.assertServerRefuses(UNCHECKED, "Certificate failed validation: "
                                 "The certificate hasn't got a known issuer.")

    def test_expired_certificate(self) -> None:
        self.present(self.authority.client("client", times=EXPIRED))
        self.assertRefused(URI, "The client certificate /etc/pki/libvirt/clientcert.pem has expired")

    def test_expired_certificate_that_the_client_does_not_check(self) -> None:
        self.present(self.authority.client("client", times=EXPIRED))
        self.assertServerRefuses(UNCHECKED, "Certificate failed validation: "
                                 "The certificate is not trusted.")

    def test_server_of_another_name(self) -> None:
        self.assertRefused(f"secret://{OTHER_NAME}/system",
                           f"owner does not match the hostname {OTHER_NAME}\n"
                           "error: failed to connect to the hypervisor\n"
                           "error: authentication failed: Failed to verify peer's certificate")

    def test_server_of_another_authority(self) -> None:
        other = Authority(self.machine, "Other CA")
        other.install(self.pki)
        self.addCleanup(self.authority.install, self.pki)
        self.present(other.client("client"))
        self.assertRefused(URI, "Certificate failed validation: The certificate hasn't got a known issuer.\n"
                           "error: failed to connect to the hypervisor\n"
                           "error: authentication failed: Failed to verify peer's certificate")

    def test_distinguished_name_that_is_not_allowed(self) -> None:
        self.present(self.authority.client("stranger"))
        self.assertServerRefuses(URI, "Client's Distinguished Name is not on the list of allowed clients "
                                 "(tls_allowed_dn_list)")

    @stock_defect("A secret driver is already registered")
    def test_root_for_the_embedded_driver(self) -> None:
        root = self.machine.home / "embedded"
        self.assertRefused(f"{URI}?name=secret:///embed%3Froot={root}",
                           "internal error: unexpected secret URI path '/embed', try secret:///system")
        self.assertFalse(root.exists())
