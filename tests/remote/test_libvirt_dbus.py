# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt-dbus, the D-Bus service, as a client of libvirtd: on a system bus of its own, called with
gdbus. It connects to hypervisors, so the secrets are reached through the QEMU driver."""

import ast
import re
from pathlib import Path

from harness.case import SystemCase
from harness.secret_files import Secret
from harness.settings import settings
from harness.waiting import wait_for
from servers.dbus import SystemBus

# scripts/install-deps leaves it there
PACKAGE = Path("/var/cache/keyhold/packages/libvirt-dbus")
QEMU = "/org/libvirt/QEMU"
VALUE = bytes(range(256))


class LibvirtDbus(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start(driver_dir=settings().with_qemu)
        user = self.machine.add_user("libvirtdbus")  # the package's
        self.bus = SystemBus(self.machine, PACKAGE)
        self.addCleanup(self.bus.close)
        self.bus.serve("org.libvirt", str(PACKAGE / "usr/sbin/libvirt-dbus"), "--system", user=user)
        self.secret = Secret(usage="client.dbus", description="naïve & <plain>")

    def gdbus(self, path: str, method: str, *arguments: str) -> str:
        return self.machine.run("gdbus", "call", "--system", "--dest", "org.libvirt", "--object-path", path,
                                "--method", f"org.libvirt.{method}", *arguments,
                                env={"LC_ALL": "C.UTF-8"}).ok()

    def text(self, answer: str) -> str:
        """Of an answer that is one string or object path."""
        return ast.literal_eval(answer.replace("objectpath ", "", 1))[0]

    def watch(self) -> Path:
        log = self.machine.home / "signals"
        self.bus.run("sh", "-c", f"exec gdbus monitor --system --dest org.libvirt >{log} 2>&1")
        wait_for("gdbus watches", lambda: log.exists() and "is owned by" in log.read_text())
        return log

    def test_a_secret_lives_from_definition_to_undefinition(self) -> None:
        log, uuid = self.watch(), self.secret.uuid
        secret = self.text(self.gdbus(QEMU, "Connect.SecretDefineXML", self.secret.xml, "0"))
        self.assertEqual(secret, f"{QEMU}/secret/_{uuid.replace('-', '_')}")
        self.gdbus(secret, "Secret.SetValue", f"[{', '.join(f'byte {byte}' for byte in VALUE)}]", "0")
        answer = self.gdbus(secret, "Secret.GetValue", "0")
        self.assertEqual(bytes(int(byte, 16) for byte in re.findall("0x([0-9a-f]{2})", answer)), VALUE)
        self.assertEqual(self.text(self.gdbus(secret, "Secret.GetXMLDesc", "0")), self.secret.xml)
        self.assertIn(f"([objectpath '{secret}'],)", self.gdbus(QEMU, "Connect.ListSecrets", "0"))
        self.assertEqual(self.text(self.gdbus(QEMU, "Connect.SecretLookupByUUID", uuid)), secret)
        self.assertEqual(
            self.text(self.gdbus(QEMU, "Connect.SecretLookupByUsage", "2", self.secret.usage)), secret)
        self.assertListed(self.daemon.open(), self.secret)
        self.gdbus(secret, "Secret.Undefine")
        self.assertListed(self.daemon.open())
        for event in (0, 1):  # VIR_SECRET_EVENT_DEFINED, _UNDEFINED
            signal = f"org.libvirt.Connect.SecretEvent (objectpath '{secret}', {event}, 0)"
            wait_for(signal, lambda: signal in log.read_text())

    def test_a_private_value_is_refused(self) -> None:
        private = Secret(private=True)
        secret = self.text(self.gdbus(QEMU, "Connect.SecretDefineXML", private.xml, "0"))
        self.gdbus(secret, "Secret.SetValue", "[byte 1]", "0")
        done = self.machine.run("gdbus", "call", "--system", "--dest", "org.libvirt", "--object-path", secret,
                                "--method", "org.libvirt.Secret.GetValue", "0")
        self.assertIn("secret is private", done.failed())
