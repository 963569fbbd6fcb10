# SPDX-License-Identifier: LGPL-2.1-or-later
"""The storage driver makes and opens encrypted volumes with volume secrets."""

from dataclasses import replace

import libvirt

from guests import domain
from guests.drivers import configure_qemu, driver_dir
from guests.pool import create_volume, directory_pool, volume_xml
from harness.case import SystemCase
from harness.secret_files import Secret

SIZE = 1 << 20
LUKS = b"LUKS\xba\xbe"


class EncryptedVolume(SystemCase):
    tests_apart = True

    def setUp(self) -> None:
        super().setUp()
        configure_qemu(self.machine)
        self.daemon = self.start(driver_dir=driver_dir(self.machine, "qemu", "storage"))
        self.qemu = self.daemon.open("qemu")
        self.directory = self.machine.home / "pool"
        self.pool = directory_pool(self.qemu, self.directory)
        self.path = self.directory / "volume"
        self.secret = Secret(type="volume", usage=str(self.path))

    def xml(self) -> str:
        return volume_xml(domain.encryption(self.secret), SIZE)

    def guest(self) -> str:
        return domain.machine_xml(domain.disk(self.path, domain.encryption(self.secret)))

    def test_is_made_and_opened_again_with_its_secret_alone(self) -> None:
        handle = self.define(self.qemu, self.secret, b"passphrase")
        volume = create_volume(self.pool, self.xml())
        self.assertEqual(self.path.read_bytes()[:6], LUKS)
        self.assertIn(self.secret.uuid, volume.XMLDesc())
        # to resize it, the storage driver must open it
        volume.resize(2 * SIZE)
        self.assertEqual(volume.info()[1], 2 * SIZE)
        guest = self.qemu.createXML(self.guest())
        self.assertTrue(domain.is_running(guest))
        guest.destroy()
        handle.setValue(b"another")
        self.assertIn("nvalid password", str(self.refusal(volume.resize, 4 * SIZE)))

    def test_is_made_with_a_secret_that_no_client_can_read_and_no_file_holds(self) -> None:
        hidden = replace(self.secret, private=True, ephemeral=True)
        self.define(self.qemu, hidden, b"passphrase")
        volume = create_volume(self.pool, self.xml())
        volume.resize(2 * SIZE)
        self.assertIn("secret is private", str(self.refusal(self.value_of, self.qemu, hidden)))

    def test_is_not_made_without_the_secret_or_its_value(self) -> None:
        error = self.refusal(self.pool.createXML, self.xml())
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
        self.assertIn(self.secret.uuid, str(error))
        self.define(self.qemu, self.secret)
        error = self.refusal(self.pool.createXML, self.xml())
        self.assertIn(f"secret '{self.secret.uuid}' does not have a value", str(error))
        self.assertEqual(list(self.directory.iterdir()), [])
