# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold list, show, set and get, beside a daemon and without one."""

import json
from typing import Any

from harness.command_case import CommandCase
from harness.secret_files import Secret, write_file


class ListAndShow(CommandCase):
    def entries(self, *arguments: str) -> dict[str, Any]:
        [store] = self.keyhold.json("list", *arguments)["stores"]
        self.definitions_of = store["definitionsOf"]
        return {each["uuid"]: each for each in store["secrets"]}

    def test_without_a_daemon_the_files_are_asked(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        entries = self.entries()
        self.assertEqual(self.definitions_of, "files")
        self.assertEqual(set(entries), {secret.uuid for secret in self.secrets})
        first = entries[self.secrets[0].uuid]
        self.assertEqual((first["usageType"], first["usageId"], first["form"], first["key"], first["served"]),
                         ("ceph", "use 0", "sealed", self.key.id, None))
        shown = self.keyhold.run("list")
        self.assertIn("ceph:use 0", shown.ok())
        self.assertIn("no process has them open", shown.err)

    def test_a_daemon_says_what_it_has(self) -> None:
        daemon = self.start()
        ephemeral = Secret(usage="short", ephemeral=True, private=True, description="of a\nguest")
        self.define(daemon.open(), ephemeral, b"value")
        late = Secret(usage="late")
        write_file(late.xml_in(self.store), late.xml)
        entries = self.entries()
        self.assertEqual(self.definitions_of, "daemon")
        self.assertEqual(len(entries), self.COUNT + 2)
        told = entries[ephemeral.uuid]
        self.assertEqual((told["private"], told["ephemeral"], told["form"], told["served"], told["file"]),
                         (True, True, "none", True, False))
        self.assertEqual((entries[late.uuid]["served"], entries[late.uuid]["file"]), (False, True))
        text = self.keyhold.run("list").ok()
        self.assertIn("private,ephemeral", text)
        self.assertIn("not-loaded", text)
        self.assertEqual(len(text.splitlines()), self.COUNT + 3)
        self.assertNothingIn(text + json.dumps(entries), [*self.values, b"value"])
