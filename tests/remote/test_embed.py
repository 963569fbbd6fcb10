# SPDX-License-Identifier: LGPL-2.1-or-later
"""secret:///embed?root=DIR: the driver in the client's own process, without a daemon."""

import subprocess

from every_call import EveryCall
from harness.settings import settings
from harness.waiting import wait_for
from remote_case import RemoteCase


# stock 9.0 calls a function that embedded mode does not have
class EmbeddedRoot(EveryCall, RemoteCase, stock_failure="exit -11"):
    # no daemon took over the caller's identity
    private_error = "internal error: No current identity"
    wire = False

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.root = cls.machine.home / "root-of-mine"
        cls.uri = f"secret:///embed?root={cls.root}"
        cls.client_env = {"LIBVIRT_DRIVER_DIR": settings().secret_only}


class EmbeddedRootOfAUser(EmbeddedRoot):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.user = cls.machine.one
        cls.root = cls.user.home / "root-of-mine"
        cls.uri = f"secret:///embed?root={cls.root}"


class EmbeddedRefusals(RemoteCase):
    def virsh(self, uri: str, *command: str, **options: object) -> subprocess.Popen[bytes]:
        return self.machine.popen("virsh", "--connect", uri, *command,
                                  env={"LIBVIRT_DRIVER_DIR": settings().secret_only}, **options)

    def failed(self, uri: str) -> str:
        done = self.virsh(uri, "secret-list", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, error = done.communicate()
        self.assertNotEqual(done.returncode, 0)
        return error.decode()

    def test_root_that_another_process_has_open(self) -> None:
        root = self.machine.home / "busy"
        # it stays until its input ends
        holder = self.virsh(f"secret:///embed?root={root}", stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdin.close)
        lock = root / "run/secrets/driver.pid"
        wait_for("virsh has the root", lambda: lock.exists() and lock.read_text())
        self.assertIn(f"Failed to acquire pid file '{lock}': Resource temporarily unavailable",
                      self.failed(f"secret:///embed?root={root}"))

    def test_root_that_is_not_named(self) -> None:
        self.assertIn("invalid argument: Missing URI parameter 'root'", self.failed("secret:///embed"))

    def test_root_that_is_relative(self) -> None:
        self.assertIn("unsupported configuration: root path must be absolute",
                      self.failed("secret:///embed?root=here"))
