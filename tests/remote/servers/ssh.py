# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenSSH's server, and the keys of its clients."""

import shutil
import subprocess
from pathlib import Path

from example_host import NAME, ExampleHost
from harness.secret_files import write_file
from harness.waiting import wait_for

CONFIGURATION = """\
ListenAddress 127.0.0.1
HostKey {directory}/host
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
"""


class Sshd:
    """Serves from the construction to `close`. Root of the host has a key that it lets in as root,
    and knows its host key."""

    def __init__(self, machine: ExampleHost) -> None:
        self._machine = machine
        directory = machine.home / "sshd"
        directory.mkdir()
        (machine.system_run / "sshd").mkdir(mode=0o755)
        self.host_key = self._make_key(directory / "host")
        write_file(directory / "sshd_config", CONFIGURATION.format(directory=directory))
        self.client = machine.root_home / ".ssh"
        self.client.mkdir(mode=0o700)
        self.identity = self._make_key(self.client / "id_ed25519")
        shutil.copy(self.identity.with_suffix(".pub"), self.client / "authorized_keys")
        self.known_hosts = self.client / "known_hosts"
        self.know_host(self.host_key)
        with (directory / "sshd.out").open("wb") as output:
            self._process = machine.popen(
                "/usr/sbin/sshd", "-D", "-e", "-f", str(directory / "sshd_config"),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for("sshd answers", lambda: machine.run("nc", "-z", NAME, "22").code == 0)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def know_host(self, key: Path) -> None:
        """The client does, by this key."""
        write_file(self.known_hosts, f"{NAME} {key.with_suffix('.pub').read_text()}")

    def replace_identity(self) -> None:
        """By a key that the server does not know."""
        self.identity.unlink()
        self._make_key(self.identity)

    def _make_key(self, path: Path) -> Path:
        self._machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path),
                          stdin="y\n").ok()
        return path
