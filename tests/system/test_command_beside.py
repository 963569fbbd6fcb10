# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold on stores that a process has open."""

import os
import re
import signal
import subprocess
from pathlib import Path

from harness.command_case import CommandCase
from harness.daemon import RELOADING
from harness.keyhold import Keyhold
from harness.sealed_files import KeyFile, sealed_in, secret_conf
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import settings
from harness.waiting import wait_for

EMBEDDED = """
import libvirt, sys
libvirt.virEventRegisterDefaultImpl()
libvirt.registerErrorHandler(lambda _context, _error: None, None)
connection = libvirt.open("secret:///embed?root=" + sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


class BesideCase(CommandCase):
    COUNT = 20


class BesideADaemon(BesideCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def test_the_daemon_seals_rekeys_and_unseals(self) -> None:
        self.configure(seal_existing=1)
        self.assertEqual(self.keyhold.json("seal")["converted"], self.COUNT)
        self.assertFormats(self.store, "jwe", self.COUNT)
        self.assertServed()
        self.configure(self.other_key, earlier=[self.key])
        self.assertEqual(self.keyhold.json("rekey")["converted"], self.COUNT)
        self.assertEqual(self.keyhold.status()["sealed"], {self.other_key.id: self.COUNT})
        self.assertServed()
        self.configure(self.other_key, encrypt=False, unseal_existing=1)
        unsealed = self.keyhold.json("unseal")
        self.assertEqual((unsealed["converted"], unsealed["remaining"]), (self.COUNT, 0))
        self.assertFormats(self.store, "base64", self.COUNT)
        self.assertServed()
        self.assertEqual(self.keyhold.findings(), [])
        self.assertNewValueIs("base64")

    def test_a_rekey_with_nothing_to_do_still_gives_the_daemon_its_key(self) -> None:
        self.configure()
        before = self.daemon.log().count(RELOADING)
        self.assertEqual(self.keyhold.json("rekey")["converted"], 0)
        wait_for("the reload begins", lambda: self.daemon.log().count(RELOADING) > before)
        self.daemon.wait_reloaded()
        self.assertNewValueIs("jwe")

    def test_a_value_whose_definition_cannot_be_read_is_not_waited_for(self) -> None:
        self.configure(seal_existing=1)
        broken = self.secrets[0]
        write_file(broken.xml_in(self.store), "<secret>")
        result = self.keyhold.json("seal", code=2)
        self.assertEqual((result["converted"], result["remaining"]), (self.COUNT - 1, 1))
        self.assertIn("cannot be read, so that the daemon does not re-encrypt its value",
                      [each["text"] for each in result["findings"]
                       if each["file"].endswith(broken.xml_in(self.store).name)][0])

    def test_a_definition_whose_use_is_taken_is_not_waited_for(self) -> None:
        rivals = [Secret(usage=self.secrets[0].usage) for _ in range(4)]
        for rival in rivals:
            rival.write(self.store, b"of another")
        self.daemon.reload()
        self.configure()
        loaded = f"'/etc/libvirt/secrets/{self.secrets[0].uuid}.xml'"
        verified = self.keyhold.json("verify", code=1)["stores"][0]["findings"]
        self.assertEqual({each["file"] for each in verified},
                         {f"/etc/libvirt/secrets/{rival.uuid}.xml" for rival in rivals})
        self.assertEqual({each["text"] for each in verified},
                         {f"is not loaded, because {loaded} has the same use; give it another use or remove it, "
                          "and reload"})
        for rival in rivals:
            self.assertLogNames(self.daemon, f"; {loaded} counts, and '/etc/libvirt/secrets/{rival.uuid}.xml' is not "
                                             "loaded; give it another use or remove it, and reload")
        sealed = self.keyhold.json("encrypt", "on", code=2)
        self.assertEqual((sealed["converted"], sealed["remaining"]), (self.COUNT, len(rivals)))
        unchanged = {each["file"]: each["text"] for each in sealed["findings"] if each["kind"] == "unchanged"}
        self.assertEqual(set(unchanged), {f"/etc/libvirt/secrets/{rival.uuid}.xml" for rival in rivals})
        for text in unchanged.values():
            self.assertIn("is not loaded, because another has the same use", text, "it was waited for")
        self.assertNotIn("changed or removed since", self.daemon.log())
        self.assertServed()

    def test_seal_and_unseal_need_no_edits_by_hand(self) -> None:
        self.configure()
        before = (self.etc / "secret.conf").read_text()
        self.assertEqual(self.keyhold.json("seal")["converted"], self.COUNT)
        self.assertEqual((self.etc / "secret.conf").read_text(), before)
        result = self.keyhold.run("unseal")
        self.assertEqual(result.code, 0)
        self.assertIn("encrypt_data = 0 is in '/etc/libvirt/secret.conf' now", result.err)
        self.assertEqual((self.etc / "secret.conf").read_text(), before + "encrypt_data = 0\n")
        self.assertFormats(self.store, "base64", self.COUNT)
        self.assertServed()

    def test_status_tells_who_has_the_store(self) -> None:
        holder = self.keyhold.status()["holder"]
        self.assertEqual(holder["pid"], self.daemon.pid)
        self.assertEqual((holder["name"], holder["driver"]), ("libvirtd", "keyhold"))
        maps = Path(f"/proc/{self.daemon.pid}/maps").read_text()
        if "/secretmem" in maps:
            self.assertEqual(holder["keyMemory"], "secretmem")
        else:
            self.assertIn(holder["keyMemory"], ("locked", "unlocked"))
        text = self.keyhold.run("status").ok()
        self.assertIn(f"libvirtd (process {self.daemon.pid}), with Keyhold", text)

    def test_looking_does_not_take_the_lock_of_the_daemon_away(self) -> None:
        self.keyhold.run("status").ok()
        self.keyhold.run("verify").ok()
        self.assertEqual(self.keyhold.status()["holder"]["pid"], self.daemon.pid)

    def test_a_stopped_daemon_is_no_longer_in_the_way(self) -> None:
        self.configure()
        self.daemon.kill()
        self.assertIsNone(self.keyhold.status()["holder"])
        self.assertEqual(self.keyhold.json("seal")["converted"], self.COUNT)

    def test_unreadable_values_are_told_and_the_rest_is_done(self) -> None:
        self.configure(seal_existing=1)
        self.keyhold.json("seal")
        damaged = sealed_in(self.store, self.secrets[0])
        damaged.write_bytes(damaged.read_bytes()[:-1])
        self.configure(encrypt=False, unseal_existing=1)
        result = self.keyhold.json("unseal", code=1)
        self.assertEqual([each["kind"] for each in result["findings"]], ["damaged"])
        self.assertEqual(result["converted"], self.COUNT - 1)


class Interrupted(BesideCase):
    """By SIGINT, while the daemon does nothing: what is said of the rest is one thing, and so."""

    COUNT = 2

    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def begin_beside_a_stopped_daemon(self, command: str) -> "subprocess.Popen[bytes]":
        os.kill(self.daemon.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.daemon.pid, signal.SIGCONT)
        process = self.machine.popen(settings().command, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.kill)
        return process

    def output_of(self, process: "subprocess.Popen[bytes]") -> str:
        out, _ = process.communicate(timeout=settings().patience)
        self.assertEqual(process.returncode, 2, out)
        return out.decode()

    def test_a_rekey_with_which_the_daemon_goes_on(self) -> None:
        self.configure(seal_existing=1)
        self.keyhold.json("seal")
        self.configure(self.other_key, earlier=[self.key])
        process = self.begin_beside_a_stopped_daemon("rekey")

        def is_caught() -> bool:
            status = Path(f"/proc/{process.pid}/status").read_text()
            caught = re.search(r"(?m)^SigCgt:\s*(\w+)$", status)
            return caught is not None and int(caught[1], 16) & 1 << (signal.SIGINT - 1) != 0
        wait_for("the command catches SIGINT", is_caught)
        process.send_signal(signal.SIGINT)
        self.assertRegex(self.output_of(process), r"\A0 values in .*\n2 values left as before, with which the "
                                                  r"daemon goes on by itself\n\Z")

    def test_a_seal_that_is_taken_back(self) -> None:
        self.configure()
        conf = self.etc / "secret.conf"
        before = conf.read_text()
        process = self.begin_beside_a_stopped_daemon("seal")
        wait_for("the daemon is to seal", lambda: "seal_existing" in conf.read_text())
        process.send_signal(signal.SIGINT)
        wait_for("it is not to any more", lambda: conf.read_text() == before)
        os.kill(self.daemon.pid, signal.SIGCONT)
        self.assertRegex(self.output_of(process), r"\A0 values in .*\n2 values left as before; run keyhold seal "
                                                  r"again to go on\n\Z")
        self.assertFormats(self.store, "base64", self.COUNT)


class BesideOthers(BesideCase):
    COUNT = 2

    def test_the_stock_driver(self) -> None:
        daemon = self.start_stock()
        self.configure()
        before = snapshot(self.store)
        for command in ("seal", "rekey", "unseal"):
            result = self.keyhold.run(command)
            self.assertEqual(result.code, 2)
            self.assertIn("with libvirt's own driver; stop it first", result.err)
        self.assertEqual(snapshot(self.store), before)
        self.assertEqual(self.keyhold.status()["holder"]["driver"], "other")
        self.assertIsNone(daemon.process.poll())

    def test_a_daemon_whose_keys_rest_in_locked_memory(self) -> None:
        write_file(self.etc / "secret.conf", secret_conf(key=self.key) + 'key_memory = "locked"\n')
        self.start()
        self.assertIn(self.keyhold.status()["holder"]["keyMemory"], ("locked", "unlocked"))

    def test_a_program_with_the_embedded_root(self) -> None:
        root = self.machine.home / "root"
        Secret().write(root / "etc/secrets", b"value")
        program = self.machine.popen(
            "/usr/bin/python3", "-c", EMBEDDED, str(root), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={"LIBVIRT_DRIVER_DIR": settings().secret_only})
        self.addCleanup(program.communicate)
        assert program.stdout is not None
        self.assertEqual(program.stdout.readline(), b"open\n")
        result = self.keyhold.run("unseal", "--root", str(root))
        self.assertEqual(result.code, 2)
        self.assertIn(f"(process {program.pid}); end it first", result.err)
        self.assertEqual(self.keyhold.status("--root", str(root))["holder"]["driver"], "keyhold")
        self.assertIsNone(program.poll())

    def test_an_embedded_root_that_nobody_has_open(self) -> None:
        root = self.machine.home / "root"
        Secret().write(root / "etc/secrets", b"value")
        write_file(root / "etc/secret.conf", secret_conf(key=self.key))
        self.assertEqual(self.keyhold.json("seal", "--root", str(root))["converted"], 1)
        self.assertFormats(root / "etc/secrets", "jwe", 1)

    def test_a_session_daemon(self) -> None:
        user = self.machine.one
        secret = Secret()
        secret.write(user.store, b"value")
        key = KeyFile.make(user.home / "key")
        write_file(user.store.parent / "secret.conf", secret_conf(key=key, seal_existing=1))
        user.owns(user.home / "key", user.store.parent, user.store, *user.store.iterdir(),
                  user.store.parent / "secret.conf")
        daemon = self.start(user=user)
        keyhold = Keyhold(self.machine, user)
        self.assertEqual(keyhold.status()["holder"]["pid"], daemon.pid)
        self.assertEqual(keyhold.run("seal").code, 0)
        self.assertFormats(user.store, "jwe", 1)
        self.assertEqual(self.value_of(daemon.open(), secret), b"value")
