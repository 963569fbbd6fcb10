# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deployment tools that go through virsh or a binding: their sequences, and the texts they parse."""

import base64
import re
import uuid as uuids

import libvirt

from harness.case import SystemCase
from harness.machine import Result
from harness.secret_files import Secret, write_file

KEY = b"AQBHCbtT6APDHhAA5W00cBchwkQjh3dkKsyPjw=="
CEPH, VOLUME = libvirt.VIR_SECRET_USAGE_TYPE_CEPH, libvirt.VIR_SECRET_USAGE_TYPE_VOLUME


class ToolCase(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.root = self.daemon.open()
        self.secret = Secret(usage="client.nova secret")

    def virsh(self, *command: str) -> Result:
        return self.machine.virsh(*command)

    def define_file(self, xml: str) -> Result:
        path = self.machine.home / "secret.xml"
        write_file(path, xml)
        return self.virsh("secret-define", "--file", str(path))

    def set_base64(self, value: bytes) -> Result:
        text = base64.b64encode(value).decode()
        return self.virsh("secret-set-value", "--secret", self.secret.uuid, "--base64", text)

    def get(self) -> Result:
        return self.virsh("secret-get-value", self.secret.uuid)


class SequencesOfVirsh(ToolCase):
    def test_charm_nova_compute_runs_twice(self) -> None:
        """list, get, compare; unless equal: define, set. Its second run may define again."""
        for _ in range(2):
            self.virsh("secret-list").ok()
            found = self.get()
            self.assertTrue(found.code != 0 or found.out.strip() == base64.b64encode(KEY).decode())
            self.define_file(self.secret.xml).ok()
            self.set_base64(KEY).ok()
        self.assertEqual(self.get().ok(), base64.b64encode(KEY).decode())

    def test_an_identical_definition_again_changes_nothing(self) -> None:
        self.define_file(self.secret.xml).ok()
        self.set_base64(KEY).ok()
        self.define_file(self.secret.xml).ok()
        self.assertEqual(self.get().ok(), base64.b64encode(KEY).decode())

    def test_openstack_ansible_reads_no_value_as_a_failure(self) -> None:
        self.virsh("secret-dumpxml", self.secret.uuid).failed()
        self.define_file(self.secret.xml).ok()
        self.virsh("secret-dumpxml", self.secret.uuid).ok()
        self.assertIn("does not have a value", self.get().failed())
        self.set_base64(KEY).ok()
        self.get().ok()

    def test_edpm_undefines_defines_and_sets_on_each_run(self) -> None:
        for run in range(3):
            undefined = self.virsh("secret-undefine", self.secret.uuid)
            self.assertEqual(undefined.code == 0, run > 0)
            self.define_file(self.secret.xml).ok()
            self.set_base64(KEY).ok()
            self.assertEqual(base64.b64decode(self.get().ok()), KEY)

    def test_openstack_helm_restarts_the_daemon_behind_its_changes(self) -> None:
        self.define_file(self.secret.xml).ok()
        self.set_base64(KEY).ok()
        self.daemon.stop()
        self.start()
        self.assertEqual(base64.b64decode(self.get().ok()), KEY)

    def test_puppet_greps_the_lists(self) -> None:
        self.assertNotIn(self.secret.uuid, self.virsh("secret-list").ok())
        self.define_file(self.secret.xml).ok()
        self.set_base64(KEY).ok()
        self.assertIn(self.secret.uuid, self.virsh("secret-list").ok())
        self.assertIn(base64.b64encode(KEY).decode(), self.get().ok())

    def test_cobaltcore_sets_an_ephemeral_private_secret_from_a_file(self) -> None:
        hidden = Secret(self.secret.uuid, self.secret.usage, ephemeral=True, private=True)
        self.define_file(hidden.xml).ok()
        path = self.machine.home / "key"
        path.write_bytes(base64.b64encode(KEY) + b"\n")
        self.virsh("secret-set-value", self.secret.uuid, "--file", str(path)).ok()
        self.assertIn("secret is private", self.get().failed())

    def test_zstack_reads_the_uuid_from_the_answer_to_a_definition(self) -> None:
        answer = self.define_file("<secret ephemeral='yes' private='yes'><usage type='iscsi'>"
                                  "<target>iqn.2026-11.org:t</target></usage></secret>").ok()
        match = re.fullmatch(r"Secret ([0-9a-f-]{36}) created", answer)
        assert match is not None
        found = self.root.secretLookupByUUIDString(match.group(1))
        self.assertEqual(found.usageID(), "iqn.2026-11.org:t")

    def test_devstack_finds_secrets_at_the_begin_of_lines(self) -> None:
        self.define_file(self.secret.xml).ok()
        lines = [line for line in self.virsh("secret-list").out.splitlines()
                 if re.match(r"^ ?[0-9a-z]", line)]
        self.assertEqual([line.split()[0] for line in lines], [self.secret.uuid])


class SequencesOfBindings(ToolCase):
    def test_snap_openstack_hypervisor_reads_66_as_no_value_yet(self) -> None:
        self.define(self.root, self.secret)
        self.assertIn(self.secret.uuid, self.root.listSecrets())
        self.assertNoValue(self.root, self.secret)
        self.root.secretLookupByUUIDString(self.secret.uuid).undefine()
        self.define(self.root, self.secret, KEY)
        self.assertEqual(self.value_of(self.root, self.secret), KEY)

    def test_nova_finds_by_usage_and_reads_66_as_none(self) -> None:
        """Its usage ids are no paths."""
        for usage in ("0c2c7d2e-volume", "instance_0 bdm", "user@host:6789/pool", "a'\"<&>b"):
            secret = Secret(type="volume", usage=usage)
            missing = self.refusal(self.root.secretLookupByUsage, VOLUME, usage)
            self.assertEqual(missing.get_error_code(), libvirt.VIR_ERR_NO_SECRET)
            self.define(self.root, secret, b"\0key\0")
            found = self.root.secretLookupByUsage(VOLUME, usage)
            self.assertEqual((found.UUIDString(), found.value()), (secret.uuid, b"\0key\0"))
            found.undefine()

    def test_cloudstack_finds_the_uuid_in_the_message_of_a_collision(self) -> None:
        """It goes on with the first uuid of a message that contains `already defined for use`."""
        name = str(uuids.uuid3(uuids.NAMESPACE_URL, "volume"))
        first = Secret(name, type="volume", usage="/v", ephemeral=True, private=True)
        self.define(self.root, first)
        second = Secret(type="volume", usage="/v", ephemeral=True, private=True)
        error = self.refusal(self.root.secretDefineXML, second.xml)
        self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_INTERNAL_ERROR)
        self.assertEqual(str(error),
                         f"internal error: a secret with UUID {name} already defined for use with /v")

    def test_cloudstack_ignores_what_is_not_found(self) -> None:
        error = self.refusal(self.root.secretLookupByUUIDString, self.secret.uuid)
        self.assertEqual(str(error),
                         f"Secret not found: no secret with matching uuid '{self.secret.uuid}'")
        handle = self.define(self.root, self.secret)
        handle.undefine()
        self.assertIn("Secret not found", str(self.refusal(handle.undefine)))

    def test_community_libvirt_sends_an_empty_description(self) -> None:
        xml = self.secret.xml.replace("  <usage", "  <description/>\n  <usage")
        self.assertIn("<description/>", xml)
        handle = self.root.secretDefineXML(xml)
        self.assertEqual(handle.XMLDesc(), self.secret.xml)

    def test_webvirtcloud_defines_without_uuid(self) -> None:
        handle = self.root.secretDefineXML("<secret><usage type='ceph'><name>w</name></usage></secret>")
        self.assertEqual(uuids.UUID(handle.UUIDString()).version, 4)
        handle.setValue(base64.b64decode("aGVsbG8="))
        self.assertEqual(handle.value(), b"hello")

    def test_uuids_of_every_version_are_accepted(self) -> None:
        names = [uuids.uuid1(), uuids.uuid3(uuids.NAMESPACE_DNS, "a"), uuids.uuid4(),
                 uuids.uuid5(uuids.NAMESPACE_DNS, "a"), uuids.UUID(int=1), uuids.UUID(int=2 ** 128 - 1)]
        for name in names:
            self.define(self.root, Secret(str(name)), b"v")
        self.assertEqual(self.uuids(self.root), {str(name) for name in names})


class TextsThatToolsParse(ToolCase):
    def test_another_usage_of_the_same_uuid(self) -> None:
        self.define(self.root, self.secret)
        error = self.refusal(self.root.secretDefineXML, Secret(self.secret.uuid, "other").xml)
        self.assertEqual(str(error), f"internal error: a secret with UUID {self.secret.uuid} "
                                     f"is already defined for use with {self.secret.usage}")

    def test_the_usage_of_another_uuid(self) -> None:
        self.define(self.root, self.secret)
        error = self.refusal(self.root.secretDefineXML, Secret(usage=self.secret.usage).xml)
        self.assertEqual(str(error), f"internal error: a secret with UUID {self.secret.uuid} "
                                     f"already defined for use with {self.secret.usage}")

    def test_private_taken_away(self) -> None:
        self.define(self.root, Secret(self.secret.uuid, "u", private=True))
        error = self.refusal(self.root.secretDefineXML, Secret(self.secret.uuid, "u").xml)
        self.assertEqual(str(error), "internal error: cannot change private flag on existing secret")

    def test_no_such_usage(self) -> None:
        error = self.refusal(self.root.secretLookupByUsage, CEPH, "nobody's")
        self.assertEqual((str(error), error.get_error_domain()),
                         ("Secret not found: no secret with matching usage 'nobody's'",
                          libvirt.VIR_FROM_SECRET))

    def test_no_value(self) -> None:
        handle = self.define(self.root, self.secret)
        error = self.refusal(handle.value)
        self.assertEqual(
            (str(error), error.get_error_code(), error.get_error_domain()),
            (f"Secret not found: secret '{self.secret.uuid}' does not have a value",
             libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_FROM_SECRET))

    def test_a_malformed_uuid(self) -> None:
        error = self.refusal(self.root.secretDefineXML, "<secret><uuid>nope</uuid></secret>")
        self.assertEqual(str(error), "internal error: malformed uuid element")

    def test_secrets_without_usage_are_listed_as_unused(self) -> None:
        self.define_file(Secret(self.secret.uuid).xml).ok()
        self.define_file(Secret().xml).ok()
        lines = self.virsh("secret-list").ok().splitlines()[2:]
        self.assertEqual({line.split(maxsplit=1)[1].strip() for line in lines}, {"Unused"})
