# SPDX-License-Identifier: LGPL-2.1-or-later
"""An NBD server with TLS: qemu-nbd."""

import shutil
import subprocess
from pathlib import Path

from harness.machine import Machine
from harness.waiting import wait_for

from .certificates import Authority, Credentials


class NbdServer:
    """Serves one disk on the loopback of the machine to clients with a certificate of `authority`."""

    EXPORT, PORT = "disk", 10809

    def __init__(self, machine: Machine, disk: Path, credentials: Credentials, authority: Authority) -> None:
        pki = machine.home / "nbd"
        pki.mkdir()
        for source, name in ((authority.certificate, "ca-cert"), (credentials.certificate, "server-cert"),
                             (credentials.key, "server-key")):
            shutil.copyfile(source, pki / f"{name}.pem")
        with (machine.home / "nbd.out").open("wb") as output:
            self._process = machine.popen(
                "qemu-nbd", "--object", f"tls-creds-x509,id=tls,endpoint=server,dir={pki},verify-peer=yes",
                "--tls-creds", "tls", "--persistent", "--format", "raw", "--export-name", self.EXPORT,
                "--bind", "127.0.0.1", "--port", str(self.PORT), str(disk),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for("qemu-nbd answers",
                 lambda: machine.run("nc", "-z", "127.0.0.1", str(self.PORT)).code == 0)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
