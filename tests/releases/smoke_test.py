#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job in the libvirt of this system: stock virsh and the Python binding on embedded roots,
then a real libvirtd and its clients. Run by run.py in namespaces in which /etc/libvirt, /run and
/srv are ours.

    smoke_test.py DRIVERS      a directory that holds our libvirt_driver_secret.so
"""

from __future__ import annotations

import base64
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import libvirt

DRIVERS = Path("/nonexistent")
UUID = "6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d10"
VALUE = b"a value\0with a NUL and \xff\n"
STORE = Path("/etc/libvirt/secrets")
PATIENCE = 300.0  # seconds until a test gives up; no result depends on it


def definition(uuid: str = UUID, usage: str = "client.admin", attributes: str = "") -> str:
    return (f"<secret {attributes}><uuid>{uuid}</uuid><description>for {usage}</description>"
            f"<usage type='ceph'><name>{usage}</name></usage></secret>")


def canonical(uuid: str = UUID, usage: str = "client.admin") -> str:
    return (f"<secret ephemeral='no' private='no'>\n  <uuid>{uuid}</uuid>\n"
            f"  <description>for {usage}</description>\n  <usage type='ceph'>\n"
            f"    <name>{usage}</name>\n  </usage>\n</secret>\n")


def waited_for(condition: object) -> bool:
    assert callable(condition)
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Virsh:
    def __init__(self, uri: str) -> None:
        self.uri = uri

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["virsh", "-q", "-c", self.uri, *arguments], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"virsh {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def error(self, *arguments: str) -> str:
        done = self.run(*arguments)
        if done.returncode == 0:
            raise AssertionError(f"virsh {' '.join(arguments)} succeeded: {done.stdout}")
        return done.stderr


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="smoke-")
        self.addCleanup(directory.cleanup)
        self.scratch = Path(directory.name)
        os.environ["LIBVIRT_DRIVER_DIR"] = str(DRIVERS)

    def file(self, name: str, content: str | bytes) -> str:
        path = self.scratch / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def define(self, virsh: Virsh, xml: str) -> None:
        virsh("secret-define", self.file("definition.xml", xml))

    def set_value(self, virsh: Virsh, uuid: str = UUID, value: bytes = VALUE) -> None:
        virsh("secret-set-value", uuid, "--plain", "--file", self.file("value", value))

    def value(self, virsh: Virsh, uuid: str = UUID) -> bytes:
        return base64.b64decode(virsh("secret-get-value", uuid))


class EmbeddedRoot(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.scratch / "root"
        self.virsh = Virsh(f"secret:///embed?root={self.root}")
        self.store = self.root / "etc/secrets"

    def test_what_one_process_stores_the_next_one_reads(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        self.assertEqual(self.value(self.virsh), VALUE)
        self.assertEqual(self.virsh("secret-dumpxml", UUID).rstrip("\n") + "\n", canonical())
        self.assertEqual(self.virsh("secret-list").split(), [UUID, "ceph", "client.admin"])

    def test_files_are_those_of_the_stock_driver(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        xml, value = self.store / f"{UUID}.xml", self.store / f"{UUID}.base64"
        self.assertEqual(sorted(self.store.iterdir()), [value, xml])
        self.assertEqual(xml.read_text(), canonical())
        self.assertEqual(value.read_bytes(), base64.b64encode(VALUE))
        self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in (xml, value, self.store)],
                         [0o600, 0o600, 0o700])

    def test_undefine_leaves_nothing(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        self.virsh("secret-undefine", UUID)
        self.assertEqual(list(self.store.iterdir()), [])
        self.assertIn("no secret with matching uuid", self.virsh.error("secret-dumpxml", UUID))

    def test_an_ephemeral_secret_lives_as_long_as_the_process(self) -> None:
        xml = self.file("e.xml", definition(attributes="ephemeral='yes'"))
        value = self.file("v", VALUE)
        listed = self.virsh(f"secret-define {xml}; secret-set-value {UUID} --plain --file {value};"
                            f" secret-get-value {UUID}")
        self.assertIn(base64.b64encode(VALUE).decode(), listed)
        self.assertEqual(list(self.store.iterdir()), [])
        self.assertEqual(self.virsh("secret-list").split(), [])

    def test_a_definition_is_validated_on_request(self) -> None:
        good = self.file("good.xml", definition())
        bad = self.file("bad.xml", "<secret><usage type='ceph'/></secret>")
        self.assertIn("failed to validate", self.virsh.error("secret-define", bad, "--validate"))
        self.virsh("secret-define", good, "--validate")


class OneProcess(Scratch):
    """In a process of its own each, because libvirt initializes drivers once a process."""

    def in_child(self, body: str) -> str:
        done = subprocess.run([sys.executable, "-c", "import libvirt, sys\n"
                               "libvirt.virEventRegisterDefaultImpl()\n" + body,
                               str(self.scratch)],
                              text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_module_under_test_is_the_one_that_is_loaded(self) -> None:
        maps = self.in_child(
            "libvirt.open('secret:///embed?root=' + sys.argv[1] + '/a')\n"
            "print(open('/proc/self/maps').read())\n")
        loaded = {line.split()[-1] for line in maps.splitlines() if "libvirt_driver_" in line}
        self.assertEqual(loaded, {str(DRIVERS / "libvirt_driver_secret.so")})

    def test_several_roots_are_open_at_once_and_again(self) -> None:
        self.assertEqual(self.in_child(
            "names = ['a', 'b', 'a']\n"
            "conns = [libvirt.open(f'secret:///embed?root={sys.argv[1]}/{n}') for n in names]\n"
            f"conns[0].secretDefineXML('''{definition()}''')\n"
            "print([conn.numOfSecrets() for conn in conns])\n"), "[1, 0, 1]\n")

    def test_events_arrive_in_the_order_of_the_changes(self) -> None:
        self.assertEqual(self.in_child(
            "seen = []\n"
            "conn = libvirt.open('secret:///embed?root=' + sys.argv[1] + '/a')\n"
            "conn.secretEventRegisterAny(None, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE,\n"
            "    lambda c, s, event, detail, o: seen.append(event), None)\n"
            "conn.secretEventRegisterAny(None, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED,\n"
            "    lambda c, s, o: seen.append('value'), None)\n"
            f"secret = conn.secretDefineXML('''{definition()}''')\n"
            "secret.setValue(b'x')\n"
            "secret.undefine()\n"
            "while len(seen) < 3: libvirt.virEventRunDefaultImpl()\n"
            "print(seen)\n"), "[0, 'value', 1]\n")


class Libvirtd:
    """The system instance, started as root with the sockets of this namespace."""

    def __init__(self) -> None:
        etc = Path("/etc/libvirt")
        (etc / "libvirtd.conf").write_text('auth_unix_rw = "none"\nauth_unix_ro = "none"\n')
        # The package's own user is made by a package that is not installed here.
        (etc / "qemu.conf").write_text('user = "root"\ngroup = "root"\n')
        self.log = Path("/tmp/libvirtd.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, drivers: Path, **more: str) -> None:
        environment = {**os.environ, "LIBVIRT_DRIVER_DIR": str(drivers), **more}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(["libvirtd"], env=environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        if not waited_for(self.answers):
            raise AssertionError("libvirtd does not answer: " + self.log.read_text())

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"libvirtd ended with {self.process.returncode}: "
                                 + self.log.read_text())
        return Virsh("secret:///system").run("uri").returncode == 0

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process = None
        return code


class Daemon(Scratch):
    daemon: Libvirtd
    drivers: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.drivers = Path(tempfile.mkdtemp(prefix="drivers-"))
        (cls.drivers / "libvirt_driver_secret.so").symlink_to(DRIVERS / "libvirt_driver_secret.so")
        stock = next(Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_qemu.so"))
        (cls.drivers / stock.name).symlink_to(stock)
        cls.daemon = Libvirtd()
        cls.daemon.start(cls.drivers)

    @classmethod
    def tearDownClass(cls) -> None:
        if cls.daemon.process is not None:
            cls.daemon.stop()

    def setUp(self) -> None:
        super().setUp()
        self.virsh = Virsh("secret:///system")
        for line in self.virsh("secret-list").splitlines():
            if line.strip():
                self.virsh("secret-undefine", line.split()[0])

    def test_the_daemon_has_loaded_the_module_under_test(self) -> None:
        assert self.daemon.process is not None
        maps = Path(f"/proc/{self.daemon.process.pid}/maps").read_text()
        self.assertIn(str(DRIVERS / "libvirt_driver_secret.so"), maps)

    def test_values_go_through_the_daemon_and_back(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        self.assertEqual(self.value(self.virsh), VALUE)
        self.assertEqual(self.virsh("secret-dumpxml", UUID).rstrip("\n") + "\n", canonical())

    def test_a_hypervisor_connection_sees_the_same_secrets(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        qemu = Virsh("qemu:///system")
        self.assertEqual(qemu("secret-list").split(), [UUID, "ceph", "client.admin"])
        self.assertEqual(self.value(qemu), VALUE)
        qemu("secret-undefine", UUID)
        self.assertEqual(self.virsh("secret-list").split(), [])

    def test_a_private_value_is_not_given_to_clients(self) -> None:
        self.define(self.virsh, definition(attributes="private='yes'"))
        self.set_value(self.virsh)
        self.assertIn("secret is private", self.virsh.error("secret-get-value", UUID))

    def test_secrets_are_there_after_a_restart(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start(self.drivers)
        self.assertEqual(self.value(self.virsh), VALUE)

    def test_a_reload_takes_over_a_changed_value(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        file = STORE / f"{UUID}.base64"
        file.write_bytes(base64.b64encode(b"rotated") + b"\n")
        assert self.daemon.process is not None
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertTrue(waited_for(lambda: self.value(self.virsh) == b"rotated"))

    def restart(self, **environment: str) -> None:
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start(self.drivers, **environment)

    def key_file(self, name: str) -> Path:
        path = Path(self.file(name, os.urandom(32)))
        path.chmod(0o600)
        return path

    def assertSealed(self) -> None:
        self.define(self.virsh, definition())
        self.set_value(self.virsh)
        self.assertEqual([path.suffix for path in sorted(STORE.iterdir())], [".jwe", ".xml"])

    def test_a_key_in_secret_conf_seals_values(self) -> None:
        settings = Path("/etc/libvirt/secret.conf")
        self.addCleanup(self.restart)
        self.addCleanup(settings.unlink)
        settings.write_text(f'secrets_encryption_key = "{self.key_file("key")}"\n')
        self.restart()
        self.assertSealed()
        self.restart()
        self.assertEqual(self.value(self.virsh), VALUE)
        settings.write_text("")
        self.restart()
        self.assertIn("which is not configured", self.virsh.error("secret-get-value", UUID))
        self.assertEqual(self.virsh("secret-list").split(), [UUID, "ceph", "client.admin"])

    def test_a_credential_of_systemd_seals_values(self) -> None:
        credential = self.key_file("secrets-encryption-key")
        self.addCleanup(self.restart)
        self.restart(CREDENTIALS_DIRECTORY=str(credential.parent))
        self.assertSealed()
        self.restart(CREDENTIALS_DIRECTORY=str(credential.parent))
        self.assertEqual(self.value(self.virsh), VALUE)

    def test_an_embedded_root_is_refused_before_a_file_is_touched(self) -> None:
        root = self.scratch / "evil"
        for name in ("secret", "qemu"):
            uri = f"{name}+unix:///system?name=secret:///embed?root%3D{root}"
            self.assertIn("error:", Virsh(uri).error("secret-list"))
        self.assertFalse(root.exists())

    def test_clients_get_events(self) -> None:
        seen: list[object] = []
        done = threading.Event()
        conn = libvirt.open("secret:///system")

        def lifecycle(_c: object, secret: libvirt.virSecret, event: int, *_: object) -> None:
            seen.append((secret.UUIDString(), event))
            if event == libvirt.VIR_SECRET_EVENT_UNDEFINED:
                done.set()

        conn.secretEventRegisterAny(None, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE, lifecycle, None)
        secret = conn.secretDefineXML(definition())
        secret.undefine()
        self.assertTrue(done.wait(PATIENCE))
        self.assertEqual(seen, [(UUID, 0), (UUID, 1)])


def run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


if __name__ == "__main__":
    DRIVERS = Path(sys.argv.pop(1))
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=run_events, daemon=True).start()
    unittest.main()
