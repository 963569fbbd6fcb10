# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU opens the encrypted private key of a TLS server with a tls secret."""

import shutil

import libvirt

from guests import domain
from guests.drivers import configure_qemu, driver_dir
from guests.network import NetworkMachine
from harness.case import SystemCase
from harness.machine import Machine
from harness.secret_files import Secret
from servers.certificates import Authority

NAME, PORT = "guest.example.com", 7000


class TlsServerInAGuest(SystemCase):
    """A serial port that listens with TLS; qemu.conf names certificate, key and the key's secret."""

    def new_machine(self) -> Machine:
        machine = NetworkMachine()
        self.addCleanup(machine.close)
        return machine

    def setUp(self) -> None:
        super().setUp()
        self.secret = Secret(type="tls", usage="key of the serial ports", private=True, ephemeral=True)
        self.pki = self.machine.home / "pki"
        self.pki.mkdir()
        self.make_certificates(passphrase="passphrase of the key")
        configure_qemu(self.machine, chardev_tls=1, chardev_tls_x509_cert_dir=self.pki,
                       chardev_tls_x509_secret_uuid=self.secret.uuid)
        self.qemu = self.start(driver_dir=driver_dir(self.machine, "qemu")).open("qemu")

    def make_certificates(self, passphrase: str) -> None:
        authority = Authority(self.machine, "guests")
        authority.install(self.pki)
        (self.pki / "CA/cacert.pem").rename(self.pki / "ca-cert.pem")
        made = authority.server(NAME)
        shutil.copyfile(made.certificate, self.pki / "server-cert.pem")
        self.machine.run("certtool", "--to-p8", "--load-privkey", str(made.key), "--password", passphrase,
                         "--outfile", str(self.pki / "server-key.pem")).ok()
        self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", (self.pki / "server-key.pem").read_text())

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
        self.define(self.qemu, self.secret, b"another")
        error = str(self.refusal(self.qemu.createXML, self.xml()))
        self.assertIn("server-key.pem", error)
        self.assertIn("Decryption has failed", error)

    def test_it_does_not_start_without_the_secret_or_its_value(self) -> None:
        error = self.refusal(self.qemu.createXML, self.xml())
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(self.secret.uuid, str(error))
        self.define(self.qemu, self.secret)
        self.assertIn(f"secret '{self.secret.uuid}' does not have a value",
                      str(self.refusal(self.qemu.createXML, self.xml())))
