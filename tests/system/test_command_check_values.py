# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold check: what keeps many values from being read is one line, with its reason and remedy."""

from harness.check_case import CRITICAL, GOOD, CheckCase
from harness.sealed_files import sealed_in
from harness.secret_files import write_file


class CheckValues(CheckCase):
    def test_altered_values_are_one_line(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        for secret in self.secrets:
            sealed = sealed_in(self.store, secret)
            text = sealed.read_text()
            sealed.write_text(text[:-1] + ("Q" if text[-1] == "A" else "A"))
        self.assertFound(CRITICAL, "damaged")
        [line] = [line for line in self.check().out.splitlines() if "damaged" in line]
        self.assertRegex(line, rf"\.jwe' and {self.COUNT - 1} more: was altered: it does not authenticate under key "
                               rf"'{self.key.id}'; put the file right and reload, or set the value again\Z")

    def test_refused_plain_values_are_one_line_with_the_way_to_seal_them(self) -> None:
        refused = f'secrets_encryption_key = "{self.key.path}"\nplain_values = "refuse"\n'
        write_file(self.etc / "secret.conf", refused)
        daemon = self.start()
        self.assertFound(CRITICAL, "refused-plain")
        why = "is not sealed, and plain_values in secret.conf refuses it; if the value is right, " \
              "write plain_values = \"accept\", reload and run 'keyhold seal'; if not, set it again"
        [line] = [line for line in self.check().out.splitlines() if why in line]
        self.assertRegex(line, rf"\Acritical: refused-plain: '\S+\.base64' and {self.COUNT - 1} more: is not")
        lines = [line for line in daemon.log().splitlines() if why in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(f"{self.COUNT} secrets are served without their values, such as '", lines[0])

        write_file(self.etc / "secret.conf", refused.replace("refuse", "accept"))
        daemon.reload()
        self.keyhold.run("seal").ok()
        write_file(self.etc / "secret.conf", refused)
        daemon.reload()
        self.assertFound(GOOD)


class ValuesThatAreServedStill(CheckCase):
    """The daemon has read them, and their key has gone since."""

    def assertSaid(self, is_served: bool) -> None:
        for said in (self.check().out, self.keyhold.run("status").ok(), self.keyhold.run("verify").out):
            [line] = [line for line in said.splitlines() if "missing-key" in line]
            self.assertEqual(f"libvirtd (process {self.daemon.pid}) still serves the value that it read before, "
                             f"until it ends" in line, is_served, line)

    def test_it_is_said_until_the_daemon_ends(self) -> None:
        self.configure()
        self.keyhold.run("seal").ok()
        self.begin()
        self.key.path.rename(self.machine.home / "away")
        self.assertSaid(True)
        self.assertServed()
        self.daemon.reload()
        self.assertSaid(True)
        self.assertServed()
        self.assertEqual(self.daemon.stop(), 0)
        self.begin()
        self.assertSaid(False)
