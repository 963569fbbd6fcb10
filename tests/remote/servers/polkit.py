# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real polkitd with rules of a test's own, on the system bus of a machine."""

import shutil
from pathlib import Path

from .dbus import SystemBus

POLICY = "org.libvirt.api.policy"
# where the package libvirt-daemon-system puts it, and where scripts/install-deps unpacks it
POLICY_PLACES = (Path("/usr/share/polkit-1/actions"),
                 Path("/var/cache/keyhold/libvirt-daemon-system/usr/share/polkit-1/actions"))
# the lines of libvirtd.conf
CONFIGURATION = 'access_drivers = ["polkit"]\n'


def policy_file() -> Path:
    for place in POLICY_PLACES:
        if (place / POLICY).exists():
            return place / POLICY
    raise AssertionError(f"no {POLICY}: run scripts/install-deps test")


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
        shutil.copy(policy_file(), private["share"] / "actions")
        machine.bind_all({private["etc"]: "/etc/polkit-1", private["share"]: "/usr/share/polkit-1"})
        self.process = bus.run("/usr/lib/polkit-1/polkitd", "--no-debug")
        bus.wait_for_name("org.freedesktop.PolicyKit1")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
