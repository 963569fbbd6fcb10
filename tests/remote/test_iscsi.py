# SPDX-License-Identifier: LGPL-2.1-or-later
"""CHAP passwords from iscsi secrets, for the storage driver and for a guest."""

import libvirt

from guests import domain
from guests.boot_disk import write_raw
from guests.drivers import configure_qemu, driver_dir
from guests.network import NetworkMachine
from harness.case import SystemCase
from harness.machine import Machine
from harness.secret_files import Secret
from servers.iscsi import PORT, Target


class IscsiTargetWithChap(SystemCase):
    def new_machine(self) -> Machine:
        machine = NetworkMachine()
        self.addCleanup(machine.close)
        return machine

    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        disk = self.machine.home / "disk.raw"
        write_raw(disk)
        target = Target(self.machine, disk)
        self.addCleanup(target.close)
        self.daemon = self.start(driver_dir=driver_dir(self.machine, "qemu", "storage"))
        self.qemu = self.daemon.open("qemu")
        self.secret = Secret(type="iscsi", usage=Target.IQN, private=True, ephemeral=True)

    def pool(self, by: str) -> str:
        """A pool of QEMU's own initiator: the kernel's would need modules."""
        return f"""
<pool type='iscsi-direct'>
  <name>disks</name>
  <source>
    <host name='127.0.0.1' port='{PORT}'/>
    <device path='{Target.IQN}'/>
    <initiator><iqn name='iqn.2020-01.com.example:initiator'/></initiator>
    <auth type='chap' username='{Target.USER}'><secret {domain.named(self.secret, by)}/></auth>
  </source>
</pool>"""

    def guest(self, by: str) -> str:
        disk = f"""
<disk type='network' device='disk'>
  <driver name='qemu' type='raw'/>
  <source protocol='iscsi' name='{Target.IQN}/1'>
    <host name='127.0.0.1' port='{PORT}'/>
    <auth username='{Target.USER}'><secret type='iscsi' {domain.named(self.secret, by)}/></auth>
  </source>
  <target dev='hda' bus='ide'/>
</disk>"""
        return domain.machine_xml(disk, domain.console(self.machine.home / "console"))

    def test_a_pool_lists_its_volumes(self) -> None:
        self.define(self.qemu, self.secret, Target.PASSWORD.encode())
        for by in (domain.BY_UUID, domain.BY_USAGE):
            pool = self.qemu.storagePoolCreateXML(self.pool(by))
            self.assertIn("unit:0:0:1", pool.listVolumes())
            pool.destroy()

    def test_a_guest_boots_from_it(self) -> None:
        self.define(self.qemu, self.secret, Target.PASSWORD.encode())
        for by in (domain.BY_UUID, domain.BY_USAGE):
            guest = self.qemu.createXML(self.guest(by))
            domain.wait_booted(self.machine.home / "console")
            guest.destroy()
            (self.machine.home / "console").unlink()

    def test_a_wrong_password_is_refused_by_the_target(self) -> None:
        self.define(self.qemu, self.secret, b"another password")
        for call, xml in ((self.qemu.storagePoolCreateXML, self.pool(domain.BY_UUID)),
                          (self.qemu.createXML, self.guest(domain.BY_UUID))):
            self.assertIn("Failed to log in to target. Status: Authentication failure(513)",
                          str(self.refusal(call, xml)))

    def test_a_missing_secret_or_value_is_named(self) -> None:
        calls = ((self.qemu.storagePoolCreateXML, self.pool(domain.BY_UUID)),
                 (self.qemu.createXML, self.guest(domain.BY_UUID)))
        for call, xml in calls:
            error = self.refusal(call, xml)
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
            self.assertIn(self.secret.uuid, str(error))
        self.define(self.qemu, self.secret)
        for call, xml in calls:
            self.assertIn(f"secret '{self.secret.uuid}' does not have a value", str(self.refusal(call, xml)))
