# SPDX-License-Identifier: LGPL-2.1-or-later
"""The state of an emulated TPM, as swtpm left it."""

import subprocess

from harness.machine import Machine
from harness.waiting import wait_for


class TpmState:
    def __init__(self, machine: Machine, guest: str) -> None:
        self._machine = machine
        self._directory = machine.home / "lib/swtpm" / guest / "tpm2"

    def refusal_of(self, key: bytes | None) -> str:
        """What swtpm says when it does not take this key (None: no key); empty if it serves the TPM.
        The parameters are those that libvirt gives it."""
        arguments: list[str] = []
        if key is not None:
            file = self._machine.home / "key"
            file.write_bytes(key)
            arguments = ["--key", f"pwdfile={file},mode=aes-256-cbc"]
        socket = self._machine.home / "tpm.sock"
        socket.unlink(missing_ok=True)
        swtpm = self._machine.popen(
            "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._directory}",
            "--flags", "startup-clear", "--ctrl", f"type=unixio,path={socket}", *arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def is_decided() -> bool:
            if swtpm.poll() is not None:
                return True
            return self._machine.run("swtpm_ioctl", "--unix", str(socket), "-i").code == 0
        try:
            wait_for("swtpm serves or ends", is_decided)
        finally:
            serves = swtpm.poll() is None
            swtpm.kill()
            said = swtpm.communicate()[1].decode()
        return "" if serves else said
