# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGTERM under load: the daemon ends in order, and what was acknowledged is there."""

import test_kill
from harness.daemon import Daemon


class TerminateBesideBusyClients(test_kill.KillBesideBusyClients):
    ROUNDS = 4

    def end(self, daemon: Daemon) -> None:
        daemon.process.terminate()
        self.assertEqual(daemon.wait(), 0, daemon.log()[-2000:])

    def test_nothing_is_left_over(self) -> None:
        super().test_nothing_is_left_over()  # what the stock driver does wrong in a kill, it does right here
