# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon opens no embedded root for anybody, and touches no file before it refuses.

The `name` parameter of a remote URI is what the daemon is asked to open: any client can name any URI."""

from pathlib import Path
from urllib.parse import quote

from harness.case import SystemCase
from harness.qemu import configure_qemu
from harness.secret_files import Secret
from harness.settings import settings


class EmbeddedUriInADaemon(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        self.daemon = self.start(driver_dir=settings().with_qemu)
        self.secret = Secret(usage="of the system")
        self.define(self.daemon.open(), self.secret, b"value")
        # a root that the caller may write and one that only the daemon may
        self.roots = [self.machine.one.home / "root", self.machine.home / "root"]

    def tree(self) -> set[Path]:
        return {path for root in self.roots for path in root.parent.glob("root*")} \
            | set(self.machine.store.iterdir()) | set(self.machine.state.iterdir())

    def remote(self, scheme: str, name: str, socket: str) -> str:
        return f"{scheme}+unix:///system?name={quote(name, safe=':/?')}&socket=/run/libvirt/{socket}"

    def test_the_same_way_leads_to_the_daemons_own_store(self) -> None:
        for scheme in ("secret", "qemu"):
            for socket in ("libvirt-sock", "libvirt-sock-ro"):
                uri = self.remote(scheme, "secret:///system", socket)
                listed = self.machine.virsh("secret-list", uri=uri, user=self.machine.one).ok()
                self.assertIn(self.secret.uuid, listed)

    def try_all(self, scheme: str, embedded: str) -> None:
        before = self.tree()
        slash = "/" if "/embed/?" in embedded else ""
        for root in self.roots:
            for socket in ("libvirt-sock", "libvirt-sock-ro"):
                uri = self.remote(scheme, embedded.format(root=root), socket)
                for user in (self.machine.one, None):
                    refused = self.machine.virsh("secret-list", uri=uri, user=user).failed()
                    self.assertIn(f"unexpected secret URI path '/embed{slash}', try secret:///system",
                                  refused)
        self.assertEqual(self.tree(), before)
        # the daemon serves its own store as before
        root = self.daemon.open()
        self.assertListed(root, self.secret)
        self.assertEqual(self.value_of(root, self.secret), b"value")

    def test_a_secret_connection_opens_no_embedded_root(self) -> None:
        self.try_all("secret", "secret:///embed?root={root}")

    def test_a_qemu_connection_opens_no_embedded_root(self) -> None:
        self.try_all("qemu", "secret:///embed?root={root}")

    def test_other_spellings_are_refused_too(self) -> None:
        for path in ("secret:/embed?root={root}", "secret:///embed/?root={root}",
                     "secret:///embed?x=1&root={root}", "secret:///embed?root={root}%2F..%2Froot2"):
            self.try_all("secret", path)

    def test_an_existing_root_is_not_opened_either(self) -> None:
        for root in self.roots:
            hidden = Secret(usage="hidden")
            (root / "etc").mkdir(parents=True)
            hidden.write(root / "etc/secrets", b"hidden")
        before = {path: path.stat().st_mtime_ns for root in self.roots for path in root.rglob("*")}
        self.try_all("secret", "secret:///embed?root={root}")
        after = {path: path.stat().st_mtime_ns for root in self.roots for path in root.rglob("*")}
        self.assertEqual(after, before)

    def test_a_session_daemon_opens_none_either(self) -> None:
        user = self.machine.one
        session = self.start(user=user)
        root = user.home / "root"
        name = quote(f"secret:///embed?root={root}", safe=":/?")
        uri = f"secret+unix:///session?name={name}&socket={session.sockets}/libvirt-sock"
        refused = self.machine.virsh("secret-list", uri=uri, user=user).failed()
        self.assertIn("unexpected secret URI path '/embed', try secret:///session", refused)
        self.assertFalse(root.exists())
