# SPDX-License-Identifier: LGPL-2.1-or-later
"""Broken files in the store affect the secrets they belong to, and nothing else."""

import os
from pathlib import Path

import libvirt

from harness.broken_store import HANGS, BrokenStoreCase
from harness.case import stock_defect
from harness.secret_files import Secret, write_file


class BrokenFiles(BrokenStoreCase):
    """One file is broken: the daemon starts, names it, and serves the other secret."""

    def setUp(self) -> None:
        super().setUp()
        self.broken = Secret(usage="broken")
        for secret in (self.secret, self.broken):
            secret.write(self.store, b"value")
        self.definition = self.broken.xml_in(self.store)
        self.value = self.broken.value_in(self.store)

    def started(self, broken: Path) -> libvirt.virConnect:
        daemon = self.start()
        root = daemon.open()
        self.assertEqual(self.value_of(root, self.secret), b"value")
        self.assertLogNames(daemon, broken.name)
        self.assertServesTheRest(daemon)
        return root

    def assertSkipped(self) -> None:
        """The definition is broken: the secret is not there, and its files stay."""
        self.assertListed(self.started(self.definition), self.secret)
        self.assertTrue(os.path.lexists(self.definition))
        self.assertTrue(os.path.lexists(self.value))

    def assertListedWithoutValue(self) -> None:
        """The value is broken: the secret stays listed, and reading it names the file."""
        root = self.started(self.value)
        self.assertListed(root, self.secret, self.broken)
        error = self.refusal(self.value_of, root, self.broken)
        self.assertIn(self.value.name, str(error))
        self.assertNotEqual(error.get_error_code(), libvirt.VIR_ERR_NO_SECRET,
                            "tools read this as `no value yet` and overwrite it")
        self.assertTrue(os.path.lexists(self.value))

    # --- the definition --------------------------------------------------------------------

    def test_a_garbage_definition(self) -> None:
        write_file(self.definition, os.urandom(2000))
        self.assertSkipped()

    def test_an_empty_definition(self) -> None:
        write_file(self.definition, "")
        self.assertSkipped()

    def test_a_torn_definition(self) -> None:
        write_file(self.definition, self.broken.xml[:-20])
        self.assertSkipped()

    def test_a_definition_of_another_uuid(self) -> None:
        write_file(self.definition, Secret(usage="other").xml)
        self.assertSkipped()

    def test_a_directory_in_place_of_a_definition(self) -> None:
        self.definition.unlink()
        self.definition.mkdir()
        self.assertSkipped()

    def test_a_dangling_link_in_place_of_a_definition(self) -> None:
        self.definition.unlink()
        self.definition.symlink_to("nowhere")
        self.assertSkipped()

    @stock_defect(HANGS)
    def test_a_fifo_in_place_of_a_definition(self) -> None:
        self.definition.unlink()
        os.mkfifo(self.definition)
        self.assertSkipped()

    def test_a_device_in_place_of_a_definition(self) -> None:
        self.definition.unlink()
        self.definition.symlink_to("/dev/zero")
        self.assertSkipped()

    @stock_defect("no line of the log names")
    def test_a_huge_definition(self) -> None:
        os.truncate(self.definition, 3 << 30)
        self.assertSkipped()

    @stock_defect("no line of the log names")
    def test_an_entity_bomb(self) -> None:
        levels = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 10))
        write_file(self.definition, f"<!DOCTYPE secret [<!ENTITY e0 'bomb'>{levels}]>"
                                    f"<secret><description>&e9;</description></secret>")
        self.assertSkipped()

    # --- the value -------------------------------------------------------------------------

    @stock_defect("Items in the second set but not the first")
    def test_a_directory_in_place_of_a_value(self) -> None:
        self.value.unlink()
        self.value.mkdir()
        self.assertListedWithoutValue()

    @stock_defect(HANGS)
    def test_a_fifo_in_place_of_a_value(self) -> None:
        self.value.unlink()
        os.mkfifo(self.value)
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names|" + HANGS)
    def test_a_huge_value(self) -> None:
        os.truncate(self.value, 3 << 30)
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names|" + HANGS)
    def test_a_device_in_place_of_a_value(self) -> None:
        self.value.unlink()
        self.value.symlink_to("/dev/zero")
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names")
    def test_a_value_that_is_not_base64(self) -> None:
        write_file(self.value, "not base64!!")
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names")
    def test_a_truncated_value(self) -> None:
        write_file(self.value, "dmFsd")
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names")
    def test_two_values_in_one_file(self) -> None:
        write_file(self.value, "dmFsdWU=dmFsdWU=")
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names")
    def test_a_value_with_a_nul_byte(self) -> None:
        write_file(self.value, b"dmFs\0dWU=")
        self.assertListedWithoutValue()

    @stock_defect("Items in the second set but not the first|no line of the log names")
    def test_a_link_to_itself_in_place_of_a_value(self) -> None:
        self.value.unlink()
        self.value.symlink_to(self.value.name)
        self.assertListedWithoutValue()

    @stock_defect("no line of the log names")
    def test_a_broken_value_is_repaired_by_setting_it(self) -> None:
        write_file(self.value, "not base64!!")
        root = self.started(self.value)
        root.secretLookupByUUIDString(self.broken.uuid).setValue(b"repaired")
        self.assertEqual(self.value_of(root, self.broken), b"repaired")
        self.assertEqual(self.value.read_text(), "cmVwYWlyZWQ=")

    # --- several ---------------------------------------------------------------------------

    def test_two_definitions_with_one_usage(self) -> None:
        rival = Secret(usage="broken")
        rival.write(self.store, b"rival")
        daemon = self.start()
        root = daemon.open()
        listed = self.uuids(root)
        self.assertIn(self.secret.uuid, listed)
        self.assertEqual(len(listed & {self.broken.uuid, rival.uuid}), 1)
        self.assertLogNames(daemon, "already defined for use with", "broken")
        for secret in (self.broken, rival):
            self.assertTrue(secret.xml_in(self.store).exists() and secret.value_in(self.store).exists())

    def test_thousands_of_broken_files(self) -> None:
        for number in range(5000):
            (self.store / f"{number}.xml").write_text("garbage")
        self.assertEqual(self.value_of(self.start().open(), self.secret), b"value")
