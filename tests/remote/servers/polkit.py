# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real polkitd with rules of a test's own, on the system bus of a machine."""

import shutil
from pathlib import Path

from .dbus import SystemBus

# scripts/install-deps leaves them there: what access drivers ask for, and what sockets do
ACTIONS = Path("/var/cache/keyhold/packages/libvirt-daemon-system/usr/share/polkit-1/actions")
POLICIES = [ACTIONS / f"org.libvirt.{name}.policy" for name in ("api", "unix")]
# the lines of libvirtd.conf
CONFIGURATION = 'access_drivers = ["polkit"]\n'


class PolicyKit:
    """Knows libvirt's actions and one file of rules, nothing of the host's. `rules` are JavaScript,
    as in polkit(8)."""

    def __init__(self, bus: SystemBus, rules: str) -> None:
        machine = bus.machine
        private = {name: machine.home / f"polkit-{name}" for name in ("etc", "share")}
        for directory, child in ((private["etc"], "rules.d"), (private["share"], "actions"),
                                 (private["share"], "rules.d")):
            (directory / child).mkdir(parents=True)
        (private["etc"] / "rules.d/10-test.rules").write_text(rules)
        for policy in POLICIES:
            shutil.copy(policy, private["share"] / "actions")
        machine.bind_all({private["etc"]: "/etc/polkit-1", private["share"]: "/usr/share/polkit-1"})
        bus.serve("org.freedesktop.PolicyKit1", "/usr/lib/polkit-1/polkitd", "--no-debug")
