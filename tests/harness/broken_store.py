# SPDX-License-Identifier: LGPL-2.1-or-later
"""Claims about a daemon whose store cannot be served in full."""

import libvirt

from .case import SystemCase
from .daemon import Daemon
from .secret_files import Secret

# how the stock driver fails
DOES_NOT_START = "libvirtd ended with 0"
HANGS = "its start hangs"


class BrokenStoreCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.machine.store
        self.secret = Secret(usage="on disk")

    def assertServesTheRest(self, daemon: Daemon) -> None:
        """Connections open, lists are answered and ephemeral secrets work."""
        root = daemon.open()
        passing = Secret(usage="in memory", ephemeral=True)
        handle = self.define(root, passing, b"value")
        self.assertEqual(self.value_of(root, passing), b"value")
        self.assertIn(passing.uuid, self.uuids(root))
        handle.undefine()

    def assertCannotDefine(self, daemon: Daemon, *words: str) -> None:
        """A new persistent secret is refused with an error that says what is missing, and not kept."""
        new = Secret(usage="new")
        error = self.refusal(daemon.open().secretDefineXML, new.xml)
        for word in words:
            self.assertIn(word, str(error))
        self.assertNotIn(new.uuid, self.uuids(daemon.open()))

    def assertUnreadable(self, daemon: Daemon, *words: str) -> None:
        """What is in the store cannot be known: neither lists nor lookups say that nothing is there.

        A tool that read `no such secret` or an empty list would define and set it again. What is in memory
        only works, and once the store is repaired a reload finds what it holds."""
        root = daemon.open()
        passing = Secret(usage="in memory", ephemeral=True)
        handle = self.define(root, passing, b"value")
        self.assertEqual(self.value_of(root, passing), b"value")
        handle.undefine()
        unknown = Secret(usage="unknown")
        for call in (root.listAllSecrets, root.listSecrets, root.numOfSecrets,
                     lambda: root.secretLookupByUUIDString(unknown.uuid),
                     lambda: root.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, "unknown"),
                     lambda: root.secretDefineXML(unknown.xml)):
            error = self.refusal(call)
            self.assertNotEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET, str(error))
            for word in words:
                self.assertIn(word, str(error))

    def assertServedOnceRepaired(self, daemon: Daemon) -> None:
        """`self.secret` is in the repaired store."""
        daemon.reload()
        root = daemon.open()
        self.assertEqual(self.value_of(root, self.secret), b"value")
        self.assertListed(root, self.secret)
        new = Secret(usage="new")
        self.define(root, new)
        self.assertTrue(new.xml_in(self.store).exists())
