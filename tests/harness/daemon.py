# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real libvirtd on a private host."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import libvirt

from .machine import Machine, User
from .settings import settings
from .waiting import NeverHappened, wait_for

RELOADING = "Reloading configuration on SIGHUP"
# what a client says of a daemon that does not listen yet, or is about to end
TRANSPORT_FAILURE = re.compile(
    "Failed to connect socket|while reading data|Cannot (recv|write) data|socket is closed")
CONFIGURATION = """\
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0777"
log_level = 3
log_filters = "2:daemon"
log_outputs = "1:file:{log}"
host_uuid = "6f2c1d6e-51a4-4a63-9a55-0c6f6d1c9f10"
"""


class DaemonEnded(AssertionError):
    pass


class Daemon:
    """One run of libvirtd: of the system instance, or with `user` of that user's session instance.

    `before` goes in front of the libvirtd command (a resource limit, valgrind); `configuration` in
    front of its libvirtd.conf, where the first mention of a setting counts."""

    def __init__(self, machine: Machine, *, user: User | None = None, driver_dir: str = "",
                 arguments: Sequence[str] = (), before: Sequence[str] = (),
                 env: Mapping[str, str] = {}, configuration: str = "") -> None:
        self.machine, self.user = machine, user
        self.instance = "session" if user else "system"
        self.home = user.home if user else machine.home
        self.sockets = user.runtime if user else machine.run_dir
        self.log_file = self.home / "daemon.log"
        self._connections: list[libvirt.virConnect] = []
        settings_file = self.home / "libvirtd.conf"
        settings_file.write_text(configuration + CONFIGURATION.format(log=self.log_file))
        output = (self.home / "daemon.out").open("ab")
        with output:
            self.process = machine.popen(
                *before, "libvirtd", "-f", str(settings_file), "-p", str(self.home / "libvirtd.pid"),
                *arguments, user=user, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={"LIBVIRT_DRIVER_DIR": driver_dir or settings().secret_only, **env})

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        """All that the daemon and its earlier runs on this machine said."""
        texts = [self.log_file, self.home / "daemon.out"]
        return "".join(path.read_text(errors="replace") for path in texts if path.exists())

    # --- clients ---------------------------------------------------------------------------

    def socket_uri(self, scheme: str = "secret", readonly: bool = False) -> str:
        name = "libvirt-sock-ro" if readonly else "libvirt-sock"
        return f"{scheme}:///{self.instance}?socket={self.sockets / name}"

    def answers(self, patience: float | None = None) -> "Daemon":
        """Waits until the daemon has answered a client, be it with an error."""
        limit = settings().patience if patience is None else patience

        def answered() -> bool:
            code = self.process.poll()
            if code is not None:
                raise DaemonEnded(f"libvirtd ended with {code}: {self.log()[-2000:]}")
            if not (self.sockets / "libvirt-sock").exists():
                return False
            try:
                # as root: a process of the daemon's user would count against its RLIMIT_NPROC
                result = self.machine.virsh("uri", uri=self.socket_uri(), patience=limit)
            except AssertionError:
                raise NeverHappened("libvirtd is silent: its start hangs") from None
            return not TRANSPORT_FAILURE.search(result.err)
        wait_for("libvirtd answers", answered, limit)
        return self

    def open(self, scheme: str = "secret", readonly: bool = False) -> libvirt.virConnect:
        opener = libvirt.openReadOnly if readonly else libvirt.open
        connection = opener(self.socket_uri(scheme, readonly))
        self._connections.append(connection)
        return connection

    def virsh(self, *command: str, **options: object) -> str:
        """The output of virsh as the owner of the daemon; raises where it failed."""
        uri = f"secret:///{self.instance}"
        return self.machine.virsh(*command, uri=uri, user=self.user, **options).ok()  # type: ignore[arg-type]

    # --- signals ---------------------------------------------------------------------------

    def reload(self) -> None:
        """SIGHUP, and the return of the thread that does the reload."""
        before = self.log().count(RELOADING)
        os.kill(self.pid, signal.SIGHUP)
        wait_for("the reload begins", lambda: self.log().count(RELOADING) > before)
        wait_for("the reload ends", lambda: "daemon-reload" not in self.threads())

    def start_reload(self) -> None:
        """SIGHUP, and the begin of the reload."""
        before = self.log().count(RELOADING)
        os.kill(self.pid, signal.SIGHUP)
        wait_for("the reload begins", lambda: self.log().count(RELOADING) > before)

    def wait_reloaded(self) -> None:
        wait_for("the reload ends", lambda: "daemon-reload" not in self.threads())

    def stop(self) -> int:
        """SIGTERM; returns the exit code, negative for a signal."""
        self.close_connections()
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(settings().patience)
        except subprocess.TimeoutExpired:
            raise NeverHappened("libvirtd does not end") from None

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.close_connections()

    def close(self) -> None:
        """The end, whatever state it is in."""
        if self.process.poll() is None:
            self.kill()
        self.close_connections()

    def close_connections(self) -> None:
        for connection in self._connections:
            try:
                connection.close()
            except libvirt.libvirtError:
                pass
        self._connections.clear()

    # --- a look at the process -------------------------------------------------------------

    def threads(self) -> list[str]:
        names = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                names.append((task / "comm").read_text().strip())
            except (FileNotFoundError, ProcessLookupError):
                continue
        return names

    def open_files(self) -> list[str]:
        links = []
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                links.append(os.readlink(entry))
            except FileNotFoundError:
                continue
        return links


def loaded(pid: int, name: str) -> set[int]:
    """The inodes of the files of this name that a process has mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {int(line.split()[4]) for line in lines if line.rpartition("/")[2] == name}
