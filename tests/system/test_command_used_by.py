# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold used-by and show beside guests and storage pools."""

import os
import shutil
from pathlib import Path
from typing import Any

import libvirt

from harness.command_case import CommandCase
from harness.qemu import configure_qemu, domain_with_disk, make_luks_disk
from harness.secret_files import Secret
from harness.settings import installed_driver_dir, settings
from harness.waiting import wait_for

STORAGE = "libvirt_driver_storage.so"


def pool(secret: Secret) -> str:
    return f"""
<pool type='iscsi'>
  <name>far</name>
  <source>
    <host name='san.example'/>
    <device path='iqn.2026-11.example:one'/>
    <auth type='chap' username='me'><secret usage='{secret.usage}'/></auth>
  </source>
  <target><path>/dev/disk/by-path</path></target>
</pool>"""


def volume(secret: Secret) -> str:
    return f"""
<volume>
  <name>cloud</name>
  <capacity unit='MiB'>4</capacity>
  <target>
    <format type='raw'/>
    <encryption format='luks'><secret type='passphrase' uuid='{secret.uuid}'/></encryption>
  </target>
</volume>"""


class UsedBy(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        drivers = self.machine.home / "drivers"
        shutil.copytree(settings().with_qemu, drivers, symlinks=True)
        os.symlink(installed_driver_dir() / STORAGE, drivers / STORAGE)
        self.daemon = self.start(driver_dir=str(drivers))
        self.qemu = self.daemon.open("qemu")
        self.of_disk = Secret(type="volume", usage="/disk")
        self.define(self.qemu, self.of_disk, b"passphrase")

    def used(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        [view] = self.keyhold.json("used-by", *arguments, code=code)["connections"]
        self.assertEqual(view["connection"], "qemu:///system")
        return view["secrets"]

    def users(self, *arguments: str, code: int = 0) -> dict[str, list[tuple[str, str, str]]]:
        return {each["uuid"]: [(user["kind"], user["name"], user["where"]) for user in each["users"]]
                for each in self.used(*arguments, code=code)}

    def test_a_host_on_which_nothing_uses_a_secret(self) -> None:
        self.assertEqual(self.used(), [])
        self.assertEqual(self.keyhold.run("used-by").ok(), "nothing uses a secret")
        self.assertIn("nothing uses it", self.keyhold.run("used-by", "ceph:use 0").ok())
        self.assertIn("there is no secret 'ceph:none'", self.keyhold.run("used-by", "ceph:none").failed())

    def test_guests_that_run_and_that_are_defined(self) -> None:
        secret = self.of_disk
        disk = make_luks_disk(self.machine, "data=passphrase")
        running = self.qemu.createXML(domain_with_disk(disk, secret))
        self.addCleanup(running.destroy)
        defined = domain_with_disk(Path("/none"), self.secrets[1]).replace("<name>guest", "<name>later")
        self.qemu.defineXML(defined)
        self.assertEqual(self.users(), {secret.uuid: [("domain", "guest", "disk vda")],
                                        self.secrets[1].uuid: [("domain", "later", "disk vda")]})
        text = self.keyhold.run("used-by", "volume:/disk").ok()
        self.assertEqual(text, f"{secret.uuid} (volume:/disk)\n"
                               "  domain 'guest', disk vda (running, not after its end)")
        shown = self.keyhold.json("show", self.secrets[1].uuid)
        self.assertEqual([(each["name"], each["live"], each["defined"]) for each in shown["usedBy"]],
                         [("later", False, True)])
        self.assertIn("used by       domain 'guest', disk vda", self.keyhold.run("show", secret.uuid).ok())

    def test_a_secret_that_a_guest_names_and_that_is_not_there(self) -> None:
        gone = Secret()
        self.qemu.defineXML(domain_with_disk(Path("/none"), gone))
        [missing] = self.used(code=1)
        self.assertEqual((missing["uuid"], missing["missing"]), (gone.uuid, True))
        result = self.keyhold.run("used-by", gone.uuid)
        self.assertEqual(result.code, 1)
        self.assertIn(f"missing: {gone.uuid} is used, and there is no such secret", result.out)

    def test_storage_pools_and_volumes(self) -> None:
        chap = Secret(type="iscsi", usage="san")
        self.define(self.daemon.open(), chap, b"value")
        self.qemu.storagePoolDefineXML(pool(chap))
        place = self.machine.home / "pool"
        place.mkdir()
        local = self.qemu.storagePoolCreateXML(
            f"<pool type='dir'><name>local</name><target><path>{place}</path></target></pool>")

        def made() -> bool:
            try:
                local.createXML(volume(self.of_disk))
            except libvirt.libvirtError as error:
                # where processor time is counted in ticks, qemu-img's own measurement fails now and then
                if "Unable to get accurate CPU usage" in str(error):
                    return False
                raise
            return True
        wait_for("qemu-img makes a volume", made)
        self.assertEqual(self.users(), {chap.uuid: [("pool", "far", "pool")],
                                        self.of_disk.uuid: [("volume", "local/cloud", "volume")]})

    def test_a_user_without_rights_may_look(self) -> None:
        self.qemu.defineXML(domain_with_disk(Path("/none"), self.secrets[0]))
        said = self.machine.run(settings().command, "used-by", "--system", user=self.machine.one)
        self.assertIn("domain 'guest', disk vda (defined)", said.ok())
