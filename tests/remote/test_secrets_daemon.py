# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secrets daemon of systemd/: sound units, and a service of its own within their limits."""

import ctypes
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import libvirt

from guests import domain
from guests.boot_disk import PASSPHRASE, write_luks, write_raw
from guests.drivers import configure_qemu, driver_dir
from harness.case import SystemCase
from harness.machine import Result, User
from harness.secret_files import Secret
from harness.settings import settings
from harness.waiting import wait_for
from secretd.service import SecretsService
from secretd.units import DIRECTORY, SERVICE, SOCKETS, filtered
from servers.dbus import SystemBus
from servers.polkit import PolicyKit

DOCUMENT = DIRECTORY.parent / "docs/secrets-daemon.md"


class UnitsOfTheSecretsDaemon(SystemCase):
    def analyze(self, *arguments: str) -> str:
        done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=os.environ | {"SYSTEMD_COLORS": "0"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_systemd_finds_nothing_wrong(self) -> None:
        for path in (SERVICE, *SOCKETS):
            self.assertEqual(self.analyze("verify", "--man=no", str(path)), "")

    def test_the_score_is_the_one_that_is_documented(self) -> None:
        listed = self.analyze("security", "--offline=true", "--no-pager", str(SERVICE))
        score = re.search(r"Overall exposure level for \S+: (\d+\.\d)", listed)
        assert score is not None
        self.assertIn(f"exposure level of {score.group(1)}", DOCUMENT.read_text())


class ServiceCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.service = SecretsService(self.machine)
        self.addCleanup(self.service.close)


class SecretsDaemon(ServiceCase):
    def test_clients_find_it_without_being_told(self) -> None:
        self.service.start()
        secret = Secret(usage="a")
        secret.write(self.machine.home)
        self.service.virsh("secret-define", str(secret.xml_in(self.machine.home)))
        self.assertIn(secret.uuid, self.service.virsh("secret-list"))
        self.assertIn(secret.uuid, self.service.virsh("secret-list", readonly=True))
        self.assertTrue(secret.xml_in(self.service.store).exists())

    def test_only_root_gets_to_the_read_write_socket(self) -> None:
        self.service.start()
        self.service.virsh("secret-list")
        self.assertIn("Permission denied", self.machine.virsh("secret-list", user=self.machine.one).failed())

    def test_it_loads_no_other_driver(self) -> None:
        self.service.start()
        self.assertIn("no connection driver available",
                      str(self.refusal(libvirt.open, self.service_uri("qemu"))))
        self.assertIn("no connection driver available",
                      str(self.refusal(libvirt.open, self.service_uri("storage"))))

    def test_of_two_daemons_with_one_store_the_second_ends(self) -> None:
        self.service.start()
        second = self.launch()
        second.wait()
        self.assertIn("Failed to acquire pid file", second.log())
        self.service.virsh("secret-list")

    def service_uri(self, scheme: str) -> str:
        return f"{scheme}:///system?socket={self.machine.run_dir / 'virtsecretd-sock'}"

    def test_idle_it_ends_and_the_next_client_finds_everything(self) -> None:
        self.service.start(arguments=("--timeout", "5"))
        lasting, passing = Secret(usage="lasting"), Secret(usage="passing", ephemeral=True)
        self.define(self.service.open(), lasting, b"value")
        self.define(self.service.open(), passing, b"value").undefine()
        self.assertEqual(self.service.wait(), 0)
        # the socket is systemd's: a client can connect before there is a daemon
        client = self.machine.popen("virsh", "-c", "secret:///system", "secret-list",
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.service.start()
        self.assertIn(lasting.uuid, client.communicate()[0].decode())
        self.assertEqual(self.value_of(self.service.open(), lasting), b"value")


class SecretsDaemonWithPolkit(ServiceCase):
    """As it is configured, libvirt asks polkit who may connect."""

    MANAGE = """polkit.addRule(function(action, subject) {
        if (action.id === "org.libvirt.unix.manage" && subject.user === "one") return polkit.Result.YES;
    });"""

    def setUp(self) -> None:
        super().setUp()
        bus = SystemBus(self.machine)
        self.addCleanup(bus.close)
        PolicyKit(bus, self.MANAGE)
        self.service.start()
        self.secret = Secret(usage="a")
        self.define(self.service.open(), self.secret, b"value")

    def virsh(self, user: User, *command: str, readonly: bool = False) -> Result:
        return self.machine.virsh(*command, user=user, readonly=readonly)

    def test_every_user_reads_definitions_and_no_value_over_the_read_only_socket(self) -> None:
        for user in (self.machine.one, self.machine.two):
            self.assertIn(self.secret.uuid, self.virsh(user, "secret-list", readonly=True).ok())
            refused = self.virsh(user, "secret-get-value", self.secret.uuid, readonly=True)
            self.assertIn("read only access prevents virSecretGetValue", refused.failed())

    def test_polkit_decides_about_the_read_write_socket_once_all_may_open_it(self) -> None:
        (self.machine.run_dir / "virtsecretd-sock").chmod(0o666)
        self.assertIn("dmFsdWU=", self.virsh(self.machine.one, "secret-get-value", self.secret.uuid).ok())
        self.assertIn("authentication unavailable: no polkit agent available to authenticate action "
                      "'org.libvirt.unix.manage'", self.virsh(self.machine.two, "secret-list").failed())


class SecretsDaemonBesideQemu(ServiceCase):
    """libvirtd with the QEMU driver and without a secret driver, on its own sockets."""

    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        drivers = driver_dir(self.machine, "qemu")
        os.unlink(f"{drivers}/{settings().module.name}")
        self.hypervisor = self.start(driver_dir=drivers)
        self.qemu = self.hypervisor.open("qemu")
        self.service.start()
        self.secrets = self.service.open()
        self.secret = Secret(type="volume", usage="/disk")
        self.define(self.secrets, self.secret, PASSPHRASE)

    def test_each_serves_its_own_and_ends_alone(self) -> None:
        disk = self.machine.home / "disk.raw"
        write_raw(disk)
        guest = self.qemu.createXML(domain.machine_xml(domain.disk(disk)))
        self.assertEqual(self.service.stop(), 0)
        self.assertTrue(domain.is_running(guest))
        self.service.start()
        guest.destroy()
        self.assertEqual(self.hypervisor.stop(), 0)
        self.assertEqual(self.value_of(self.service.open(), self.secret), PASSPHRASE)

    def test_clients_are_told_apart_by_their_uri(self) -> None:
        self.assertIn(self.secret.uuid, self.machine.virsh("secret-list", uri="secret:///system").ok())
        self.assertIn("not supported by the connection driver",
                      self.machine.virsh("secret-list", uri="qemu:///system").failed())

    def test_a_guest_of_the_monolithic_daemon_gets_no_secret_from_it(self) -> None:
        """libvirtd looks for drivers in its own process only; a virtqemud would ask the secrets daemon."""
        disk = self.machine.home / "disk.luks"
        write_luks(self.machine, disk)
        error = self.refusal(self.qemu.createXML, domain.machine_xml(
            domain.disk(disk, domain.encryption(self.secret))))
        self.assertIn("no connection driver available for secret:///system", str(error))


# In front of the service: what ProtectSystem=strict and PrivateNetwork= make of its view. Of the mounts
# only those stay writable that the unit's directories are on.
VIEW = """
for keep in /etc/libvirt/secrets /run/libvirt; do mount --bind $keep $keep; done
while read -r _ where _; do
  case $where in /proc*|/sys*|/dev*|/etc/libvirt/secrets|/run/libvirt) ;;
  *) mount -o remount,bind,ro "$where" ;;
  esac
done </proc/self/mounts
exec "$@"
"""
CONFINED = ("unshare", "--net", "--mount", "--propagation", "private", "--", "bash", "-eu", "-c", VIEW,
            "view")
NO_PRIVILEGES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")


def has_secret_memory() -> bool:
    """Whether the kernel has memfd_secret(2) and it is switched on."""
    descriptor = ctypes.CDLL(None).syscall(447, 0)
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


class SecretsDaemonWithinItsLimits(ServiceCase):
    """Real mounts, namespaces, capabilities and filters, as systemd would make them of the unit."""

    def test_it_works_with_what_the_unit_leaves_it(self) -> None:
        for setting in ("CapabilityBoundingSet", "AmbientCapabilities"):
            self.assertEqual(self.service.unit.one(setting), "")
        self.service.start(before=(*CONFINED, *NO_PRIVILEGES, *filtered(self.service.unit)))
        self.use()
        self.assertEqual(self.service.stop(), 0)
        said = self.service.output.read_text()
        if has_secret_memory() or settings().stock:
            complaints = [line for line in said.splitlines() if ": warning :" in line or ": error :" in line]
            start = "0 secrets are served from '/etc/libvirt/secrets'"
            self.assertEqual([line for line in complaints if not line.endswith(start)], [])
        else:
            self.assertIn("memfd_secret is unavailable: Function not implemented", said)

    def use(self) -> None:
        root = self.service.open()
        self.assertIsConfined()
        lasting, passing = Secret(usage="a"), Secret(usage="b", ephemeral=True, private=True)
        self.define(root, lasting, b"first").setValue(bytes(65536))
        self.define(root, passing, b"value").undefine()
        by_hand = Secret(usage="by hand")
        by_hand.write(self.service.store, b"by hand")
        assert self.service.process is not None
        self.service.process.send_signal(signal.SIGHUP)
        wait_for("the reload is done", lambda: by_hand.uuid in root.listSecrets())
        self.assertEqual(self.value_of(root, lasting), bytes(65536))
        self.assertEqual(self.value_of(root, by_hand), b"by hand")
        root.secretLookupByUUIDString(lasting.uuid).undefine()
        self.assertListed(root, by_hand)

    def assertIsConfined(self) -> None:
        assert self.service.process is not None
        status = Path(f"/proc/{self.service.process.pid}/status").read_text()
        for line in ("Name:\tlibvirtd", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)

    def test_the_limits_hold(self) -> None:
        """What the other test runs under does stop what it should."""
        attempts = {
            "open('/run/libvirt/x', 'w')": "done",
            "open('/etc/libvirt/x', 'w')": "Read-only file system",
            "os.chown('/run/libvirt/x', 1, 1)": "Operation not permitted",
            "os.chroot('/')": "Operation not permitted",
            "mmap.mmap(-1, 4096, prot=7)": "Operation not permitted",
            "socket.socket(socket.AF_INET)": "Address family not supported by protocol",
        }
        program = ["import mmap, os, socket"]
        for attempt in attempts:
            program += ["try:", f"    {attempt}", "    print('done')",
                        "except OSError as error:", "    print(error.strerror)"]
        said = self.machine.run(*CONFINED, *NO_PRIVILEGES, *filtered(self.service.unit),
                                sys.executable, "-c", "\n".join(program)).ok()
        self.assertEqual(said.splitlines(), list(attempts.values()))
