# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU opens encrypted private keys, a TLS server's and a TLS client's, with a tls secret."""

import shutil

import libvirt

from guests import domain
from guests.boot_disk import write_raw
from guests.drivers import configure_qemu, driver_dir
from guests.network import NetworkMachine
from harness.case import SystemCase
from harness.machine import Machine
from harness.secret_files import Secret
from servers.certificates import Authority, Credentials
from servers.nbd import NbdServer

NAME, PORT = "localhost", 7000


class TlsKeyCase(SystemCase):
    """qemu.conf names certificate, key and the key's secret."""

    settings = ""  # how the names of the settings begin
    role = ""  # QEMU's

    def new_machine(self) -> Machine:
        machine = NetworkMachine()
        self.addCleanup(machine.close)
        return machine

    def setUp(self) -> None:
        super().setUp()
        self.secret = Secret(type="tls", usage="key of guests", private=True, ephemeral=True)
        self.pki = self.machine.home / "pki"
        self.pki.mkdir()
        self.authority = Authority(self.machine, "guests")
        shutil.copyfile(self.authority.certificate, self.pki / "ca-cert.pem")
        made, key = self.own_credentials(), self.pki / f"{self.role}-key.pem"
        shutil.copyfile(made.certificate, self.pki / f"{self.role}-cert.pem")
        self.machine.run("certtool", "--to-p8", "--load-privkey", str(made.key),
                         "--password", "passphrase of the key", "--outfile", str(key)).ok()
        self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", key.read_text())
        configure_qemu(self.machine, **{f"{self.settings}_tls": 1,
                                        f"{self.settings}_tls_x509_cert_dir": self.pki,
                                        f"{self.settings}_tls_x509_secret_uuid": self.secret.uuid})
        self.qemu = self.start(driver_dir=driver_dir(self.machine, "qemu")).open("qemu")

    def own_credentials(self) -> Credentials:
        raise NotImplementedError

    def xml(self) -> str:
        raise NotImplementedError

    def assertOtherValueIsNamed(self) -> None:
        self.define(self.qemu, self.secret, b"another")
        error = str(self.refusal(self.qemu.createXML, self.xml()))
        files = [self.pki / f"{self.role}-{what}.pem" for what in ("cert", "key")]
        self.assertIn(f"Cannot load certificate '{files[0]}' & key '{files[1]}': Decryption has failed.", error)

    def assertMissingSecretAndValueAreNamed(self) -> None:
        error = self.refusal(self.qemu.createXML, self.xml())
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(self.secret.uuid, str(error))
        self.define(self.qemu, self.secret)
        self.assertIn(f"secret '{self.secret.uuid}' does not have a value",
                      str(self.refusal(self.qemu.createXML, self.xml())))


class TlsServerInAGuest(TlsKeyCase):
    """A serial port that listens with TLS."""

    settings, role = "chardev", "server"

    def own_credentials(self) -> Credentials:
        return self.authority.server(NAME)

    def xml(self) -> str:
        return domain.machine_xml(
            f"<serial type='tcp'><source mode='bind' host='127.0.0.1' service='{PORT}' tls='yes'/>"
            "<protocol type='raw'/></serial>")

    def test_clients_complete_a_handshake_with_it(self) -> None:
        self.define(self.qemu, self.secret, b"passphrase of the key")
        guest = self.qemu.createXML(self.xml())
        said = self.machine.run(
            "gnutls-cli", "--x509cafile", str(self.pki / "ca-cert.pem"), f"--verify-hostname={NAME}",
            "-p", str(PORT), "127.0.0.1").out  # how QEMU ends the connection is its own affair
        self.assertIn("The certificate is trusted", said)
        self.assertIn("Handshake was completed", said)
        guest.destroy()

    def test_it_does_not_start_with_another_value(self) -> None:
        self.assertOtherValueIsNamed()

    def test_it_does_not_start_without_the_secret_or_its_value(self) -> None:
        self.assertMissingSecretAndValueAreNamed()


class GuestOnANbdDisk(TlsKeyCase):
    """A disk of an NBD server that lets in only clients with a certificate."""

    settings, role = "nbd", "client"

    def setUp(self) -> None:
        super().setUp()
        disk, self.console = self.machine.home / "disk.raw", self.machine.home / "console"
        write_raw(disk)
        self.server = NbdServer(self.machine, disk, self.authority.server(NAME), self.authority)
        self.addCleanup(self.server.close)

    def own_credentials(self) -> Credentials:
        return self.authority.client("guest")

    def xml(self, tls: str = "yes") -> str:
        source = (f"<source protocol='nbd' name='{NbdServer.EXPORT}' tls='{tls}'>"
                  f"<host name='{NAME}' port='{NbdServer.PORT}'/></source>")
        return domain.machine_xml(
            f"<disk type='network' device='disk'><driver name='qemu' type='raw'/>{source}"
            "<target dev='hda' bus='ide'/></disk>", domain.console(self.console))

    def test_boots_with_the_key_that_the_secret_opens(self) -> None:
        self.define(self.qemu, self.secret, b"passphrase of the key")
        guest = self.qemu.createXML(self.xml())
        domain.wait_booted(self.console)
        guest.destroy()

    def test_the_server_serves_nobody_without_tls(self) -> None:
        self.assertIn("TLS", str(self.refusal(self.qemu.createXML, self.xml(tls="no"))))

    def test_it_does_not_start_with_another_value(self) -> None:
        self.assertOtherValueIsNamed()

    def test_it_does_not_start_without_the_secret_or_its_value(self) -> None:
        self.assertMissingSecretAndValueAreNamed()
