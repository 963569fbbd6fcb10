# SPDX-License-Identifier: LGPL-2.1-or-later
"""X.509 certificates, made with certtool."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.machine import Machine, User

VALID = 'activation_date = "2020-01-01 00:00:00"\nexpiration_date = "2099-01-01 00:00:00"\n'
EXPIRED = 'activation_date = "2020-01-01 00:00:00"\nexpiration_date = "2021-01-01 00:00:00"\n'


@dataclass(frozen=True)
class Credentials:
    certificate: Path
    key: Path

    def install(self, pki: Path, role: str) -> None:
        """As the server's or the client's, where libvirt looks for those of the host."""
        private = pki / "libvirt/private"
        private.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.certificate, pki / f"libvirt/{role}cert.pem")
        shutil.copyfile(self.key, private / f"{role}key.pem")

    def install_for(self, user: User, authority: "Authority") -> None:
        """As the client's, where libvirt looks for those of an unprivileged user."""
        pki = user.home / ".pki/libvirt"
        pki.mkdir(parents=True)
        for source, name in ((authority.certificate, "cacert.pem"), (self.certificate, "clientcert.pem"),
                             (self.key, "clientkey.pem")):
            shutil.copyfile(source, pki / name)
            user.owns(pki / name)


class Authority:
    """A certificate authority that signs itself. Two may have the same name."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self._directory = Path(tempfile.mkdtemp(prefix="authority-", dir=machine.home))
        self._own = self._make(f'cn = "{name}"\nca\ncert_signing_key\n{VALID}',
                               "--generate-self-signed")

    @property
    def certificate(self) -> Path:
        return self._own.certificate

    def install(self, pki: Path) -> None:
        (pki / "CA").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.certificate, pki / "CA/cacert.pem")

    def server(self, name: str) -> Credentials:
        return self._issue(f'cn = "{name}"\ndns_name = "{name}"\ntls_www_server\n{VALID}')

    def client(self, name: str, organization: str = "Example", times: str = VALID) -> Credentials:
        return self._issue(f'cn = "{name}"\norganization = "{organization}"\ntls_www_client\n{times}')

    def _issue(self, template: str) -> Credentials:
        return self._make(
            f"{template}signing_key\nencryption_key\n", "--generate-certificate",
            "--load-ca-certificate", str(self._own.certificate), "--load-ca-privkey", str(self._own.key))

    def _make(self, template: str, *how: str) -> Credentials:
        number = len(list(self._directory.glob("*.info")))
        made = Credentials(self._directory / f"{number}.pem", self._directory / f"{number}.key")
        options = self._directory / f"{number}.info"
        options.write_text(template)
        self._machine.run("certtool", "--generate-privkey", "--key-type", "rsa", "--bits", "2048",
                          "--outfile", str(made.key)).ok()
        self._machine.run("certtool", *how, "--load-privkey", str(made.key), "--template", str(options),
                          "--outfile", str(made.certificate)).ok()
        return made
