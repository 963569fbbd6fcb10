# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections through the unix sockets of this machine."""

from harness.case import SystemCase


class SystemUri(SystemCase):
    def test_root_is_served_by_the_system_daemon(self) -> None:
        self.start()
        for uri in ("secret:///system", "secret+unix:///system"):
            with self.subTest(uri=uri):
                self.assertEqual(self.machine.virsh("uri", uri=uri).ok(), uri)
