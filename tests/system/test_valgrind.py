# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of the daemon under valgrind's memcheck, over every entry of the driver."""

import xml.etree.ElementTree as ElementTree

import libvirt

from harness.case import SystemCase, stock_defect
from harness.events import EventLog
from harness.secret_files import Secret, write_file, write_value
from harness.settings import MODULE_NAME

CEPH = libvirt.VIR_SECRET_USAGE_TYPE_CEPH


class RunUnderValgrind(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.report = self.machine.home / "memcheck.xml"
        self.loaded, broken = Secret(usage="loaded"), Secret(usage="broken")
        for secret in (self.loaded, broken):
            secret.write(self.machine.store, b"value")
        write_file(broken.value_in(self.machine.store), "not base64!!")
        write_file(self.machine.store / "garbage.xml", "<secret><uuid>")

    @stock_defect("Leak_DefinitelyLost")
    def test_no_error_is_in_a_frame_of_the_module(self) -> None:
        daemon = self.start(patience=300, before=(
            "valgrind", "--tool=memcheck", "--quiet", "--leak-check=full", "--show-leak-kinds=definite",
            "--num-callers=40", "--error-limit=no", "--xml=yes", f"--xml-file={self.report}"))
        root = daemon.open()
        log = EventLog(root)
        self.use_every_entry(root)
        self.change_and_reload(daemon.reload, root)
        self.assertGreater(len(log.take()), 5)
        reader = daemon.open(readonly=True)
        self.refusal(reader.secretDefineXML, self.loaded.xml)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.errors_in_module(), [])

    def use_every_entry(self, root: libvirt.virConnect) -> None:
        secret = Secret(usage="a", description="<&>")
        handle = self.define(root, secret, b"value" * 1000)
        self.assertEqual(handle.value(), b"value" * 1000)
        self.assertEqual(handle.XMLDesc(), secret.xml)
        self.define(root, Secret(secret.uuid, "a", ephemeral=True))
        self.define(root, Secret(secret.uuid, "a"))
        self.assertEqual(root.secretLookupByUsage(CEPH, "a").UUIDString(), secret.uuid)
        self.refusal(root.secretLookupByUsage, CEPH, "nobody's")
        self.assertIn(secret.uuid, self.uuids(root))
        for flags in range(16):
            root.listAllSecrets(flags)
        private = Secret(usage="p", private=True)
        self.define(root, private, b"value")
        self.refusal(self.value_of, root, private)
        for xml in ("", "garbage", "<secret><uuid>", "<domain/>", "<secret><uuid>bad</uuid></secret>",
                    Secret(usage="a").xml, Secret(private.uuid, "p").xml, Secret(secret.uuid, "b").xml):
            self.refusal(root.secretDefineXML, xml)
        root.secretDefineXML(Secret(usage="/valid", type="volume").xml,
                             libvirt.VIR_SECRET_DEFINE_VALIDATE)
        self.refusal(root.secretDefineXML, Secret(usage="not a path", type="volume").xml,
                     libvirt.VIR_SECRET_DEFINE_VALIDATE)
        handle.undefine()
        self.refusal(handle.value)
        self.refusal(handle.undefine)

    def change_and_reload(self, reload, root: libvirt.virConnect) -> None:  # type: ignore[no-untyped-def]
        gone = Secret(usage="gone")
        self.define(root, gone, b"value")
        for number in range(3):
            write_value(self.loaded.value_in(self.machine.store), b"rotated %d" % number)
            Secret(usage=f"new {number}").write(self.machine.store, b"value")
            reload()
            self.assertEqual(self.value_of(root, self.loaded), b"rotated %d" % number)
        gone.xml_in(self.machine.store).unlink()
        gone.value_in(self.machine.store).unlink()
        reload()

    def errors_in_module(self) -> list[str]:
        """The errors of which some frame lies in the module, with their innermost functions."""
        found = []
        for error in ElementTree.parse(self.report).iter("error"):
            frames = list(error.iter("frame"))
            if any((frame.findtext("obj") or "").endswith(MODULE_NAME) for frame in frames):
                calls = " < ".join(frame.findtext("fn") or "?" for frame in frames[:12])
                found.append(f"{error.findtext('kind')}: {calls}")
        return found
