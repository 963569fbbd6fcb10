# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that use libvirt through another language, or through another program: the whole life of a
secret with each. The programs in clients/ print what they see, a word and its text a line."""

from pathlib import Path

from harness.case import SystemCase
from harness.events import DEFINED, UNDEFINED, VALUE_CHANGED
from harness.secret_files import Secret

CLIENTS = Path(__file__).resolve().parent / "clients"
VALUE = bytes(range(256))


class Bindings(SystemCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()
        self.secret = Secret(usage="client.binding", description="naïve & <plain>")

    def lines_of(self, *command: str) -> list[str]:
        definition, value = self.machine.home / "definition.xml", self.machine.home / "value"
        definition.write_text(self.secret.xml)
        value.write_bytes(VALUE)
        return self.machine.run(*command, "secret:///system", str(definition), str(value)).ok().splitlines()

    def assertWholeLife(self, *command: str, events: bool) -> None:
        uuid = self.secret.uuid
        lines = self.lines_of(*command)
        self.assertEqual([line for line in lines if not line.startswith("event")], [
            f"defined {uuid}", f"value {VALUE.hex()}", f"xml {self.secret.xml.encode().hex()}",
            "count 1", f"listed {uuid}", f"by-usage {uuid}", "gone 66"])
        self.assertEqual([line for line in lines if line.startswith("event")],
                         [f"event {what} {uuid}" for what in (DEFINED, VALUE_CHANGED, UNDEFINED)]
                         if events else [])

    def test_python(self) -> None:
        self.assertWholeLife("/usr/bin/python3", "-B", str(CLIENTS / "client.py"), events=True)

    def test_perl(self) -> None:
        self.assertWholeLife("perl", str(CLIENTS / "client.pl"), events=True)

    def test_ruby(self) -> None:
        self.assertWholeLife("ruby", str(CLIENTS / "client.rb"), events=False)

    def test_ocaml(self) -> None:
        self.assertWholeLife("ocaml", "-I", "+libvirt", "mllibvirt.cma", str(CLIENTS / "client.ml"),
                             events=False)
