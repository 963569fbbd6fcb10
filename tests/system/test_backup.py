# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold backup: what is in the archive, beside a daemon and without one."""

import base64
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import tarfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt

from harness.command_case import CommandCase
from harness.sealed_files import sealed_in
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import settings
from harness.waiting import wait_for

USE = re.compile(rb"<name>turn (\d+)</name>")


def content_of(archive: Path) -> dict[str, bytes]:
    """The members, as another program reads them."""
    with tarfile.open(archive, "r:") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def manifest_of(archive: Path) -> Any:
    return json.loads(content_of(archive)["MANIFEST.json"])


def writable_memory(pid: int) -> tuple[bytes, bytes]:
    """What a core would have, and what is left out of it."""
    found = {False: b"", True: b""}
    with open(f"/proc/{pid}/smaps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line):
                begin, end = (int(number, 16) for number in match.groups())
                is_secret = "/secretmem" in line  # keys, which nobody can read
            elif re.match("[0-9a-f]+-", line):
                begin = end = 0
            elif line.startswith("VmFlags:") and begin != end and not is_secret:
                memory.seek(begin)
                found[" dd" in line] += memory.read(end - begin)
    return found[False], found[True]


class BackupCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.archive = self.machine.home / "archive.tar"

    def back_up(self, *arguments: str, code: int = 0) -> Any:
        return self.keyhold.json("backup", str(self.archive), "--force", *arguments, code=code)


class Archive(BackupCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure()

    def seal(self) -> None:
        self.keyhold.json("seal")

    def test_is_a_tar_of_the_files_and_a_manifest_that_proves_them(self) -> None:
        self.seal()
        Secret().write(self.store)
        said = self.back_up()
        members = content_of(self.archive)
        manifest = json.loads(members.pop("MANIFEST.json"))
        self.assertEqual({f"secrets/{name}": data for name, data in snapshot(self.store).items()}, members)
        self.assertEqual([(m["name"], m["size"], m["sha256"]) for m in manifest["members"]],
                         [(name, len(data), hashlib.sha256(data).hexdigest())
                          for name, data in members.items()])
        self.assertEqual((manifest["secrets"], manifest["withoutValue"], manifest["plain"]), (4, 1, 0))
        self.assertEqual(manifest["sealed"], {self.key.id: 3})
        self.assertEqual({name: said[name] for name in manifest if name != "members"},
                         {name: manifest[name] for name in manifest if name != "members"})

    def test_it_says_which_secrets_have_no_value(self) -> None:
        self.seal()
        without = sorted((Secret(), Secret()), key=lambda secret: secret.uuid)
        self.assertNotIn("without a value", self.keyhold.run("backup", "--force", str(self.archive)).ok())
        for secret in without:
            secret.write(self.store)
        said = self.keyhold.run("backup", "--force", str(self.archive)).ok()
        self.assertIn("2 secrets without a value in the archive; --verbose names each\n", said)
        self.assertNotIn(without[0].uuid, said)
        said = self.keyhold.run("backup", "--force", "--verbose", str(self.archive)).ok()
        self.assertIn("2 secrets without a value in the archive\n"
                      + "".join(f"no value: {secret.uuid}\n" for secret in without), said)
        self.assertNotIn("secretsWithoutValue", self.back_up())
        self.assertEqual(self.back_up("--verbose")["secretsWithoutValue"], [secret.uuid for secret in without])

    def test_tar_itself_unpacks_it(self) -> None:
        self.seal()
        self.back_up()
        there = self.machine.home / "unpacked"
        there.mkdir()
        self.machine.run("tar", "-xf", str(self.archive), "-C", str(there)).ok()
        self.assertEqual(snapshot(there / "secrets"), snapshot(self.store))

    def test_is_the_same_for_the_same_store(self) -> None:
        self.seal()
        def members() -> dict[str, bytes]:
            self.back_up()
            return {name: data for name, data in content_of(self.archive).items() if name != "MANIFEST.json"}
        first = members()
        self.assertEqual(list(first), sorted(first, key=lambda name: (name[8:44], not name.endswith("xml"))))
        self.assertEqual(list(members().items()), list(first.items()))

    def test_has_no_key_and_no_value_and_says_which_key_opens_it(self) -> None:
        self.seal()
        result = self.keyhold.run("backup", str(self.archive))
        self.assertIn(f"needs key {self.key.id} for 3 values: no key is in the archive; keep it elsewhere",
                      result.ok())
        content = self.archive.read_bytes()
        for secret in (*self.values, self.key.raw, *map(base64.b64encode, (*self.values, self.key.raw))):
            self.assertNotIn(secret, content)

    def test_plain_values_are_refused_as_a_whole(self) -> None:
        self.seal()
        plain = [Secret(usage=f"plain {n}") for n in range(2)]
        for secret in plain:
            secret.write(self.store, b"plain")
        result = self.keyhold.run("backup", str(self.archive))
        self.assertEqual(result.code, 2)
        for words in ("2 values", min(s.uuid for s in plain), "keyhold seal", "--plain"):
            self.assertIn(words, result.err)
        self.assertEqual(list(self.machine.home.glob("archive*")), [])
        self.assertEqual(self.back_up("--plain")["plain"], 2)
        self.assertEqual(content_of(self.archive)[f"secrets/{plain[0].uuid}.base64"],
                         base64.b64encode(b"plain"))

    def test_nobody_else_can_read_it_at_any_time(self) -> None:
        """Whatever the umask, and from its creation on."""
        trace = self.machine.home / "trace"
        self.machine.run("sh", "-c", 'umask 0; exec "$@"', "sh", "strace", "-f", "-o", str(trace), "-e",
                         "trace=openat,rename,renameat,renameat2,fsync,fchmod", settings().command, "backup",
                         str(self.archive), "--plain").ok()
        self.assertEqual(stat.S_IMODE(self.archive.stat().st_mode), 0o600)
        text = trace.read_text()
        [made] = re.findall(r'"archive.tar.partial", (\S+), (\d+)\)', text)
        self.assertIn("O_EXCL", made[0])
        self.assertEqual(made[1], "0600")
        renamed = re.search(r'rename\w*\(\d+, "archive.tar.partial"', text)
        assert renamed
        self.assertLess(text.index("fsync("), renamed.start())

    def test_no_plain_value_is_in_memory_that_is_not_guarded(self) -> None:
        """Looked at while the archive is written, when it was, while it is read back, and at the end:
        libarchive, buffers and freed memory have nothing of a value."""
        pieces = []
        for _ in range(40):
            value = os.urandom(3000)
            Secret().write(self.store, value)
            pieces += [some[at:at + 16] for some in (value, base64.b64encode(value)) for at in range(0, 2900, 500)]
        for call, when in (("write", 1), ("fsync", 1), ("read", 2), ("fsync", 2)):
            unguarded, guarded = self.memory_at(call, when)
            self.assertEqual([piece for piece in pieces if piece in unguarded], [], (call, when))
            self.assertGreater(len(unguarded), 100_000)
            if call == "write":
                self.assertTrue(any(piece in guarded for piece in pieces), "the search finds nothing")

    def memory_at(self, call: str, when: int) -> tuple[bytes, bytes]:
        """Of a backup that is stopped behind such a call; of reads and writes those of the archive count."""
        trace = self.machine.home / f"trace-{call}-{when}"
        of_archive = ("-P", f"{self.archive}.partial") if call != "fsync" else ()
        tracer = self.machine.popen(
            "strace", "-f", "-o", str(trace), *of_archive, "-e", f"trace={call}", "-e",
            f"inject={call}:signal=STOP:when={when}", settings().command, "backup", str(self.archive),
            "--plain", "--force", stdout=subprocess.DEVNULL)
        self.addCleanup(tracer.kill)
        stopped = wait_for("the command is stopped", lambda: re.search(
            r"(\d+) +--- stopped by SIGSTOP", trace.read_text() if trace.exists() else ""))
        pid = int(stopped[1])
        try:
            return writable_memory(pid)
        finally:
            os.kill(pid, signal.SIGCONT)
            self.assertEqual(tracer.wait(), 0)

    def test_a_file_that_is_there_stays(self) -> None:
        self.seal()
        write_file(self.archive, "mine")
        self.assertIn("--force", self.keyhold.run("backup", str(self.archive)).failed())
        self.assertEqual(self.archive.read_text(), "mine")

    def test_standard_output(self) -> None:
        self.seal()
        result = self.keyhold.run("backup", "-")
        self.archive.write_bytes(result.raw)
        self.assertEqual(len(manifest_of(self.archive)["members"]), 6)
        self.assertIn("was not read back", result.err)
        self.assertIn("the same in both: 3 secrets", self.keyhold.run("restore", str(self.archive)).ok())

    def test_a_full_disk_leaves_what_was_there(self) -> None:
        self.seal()
        self.back_up()
        before = self.archive.read_bytes()
        done = self.machine.run("prlimit", "--fsize=3000", "sh", "-c", 'trap "" XFSZ; exec "$@"', "sh",
                                settings().command, "backup", str(self.archive), "--force")
        self.assertIn("cannot write", done.failed())
        self.assertEqual(self.archive.read_bytes(), before)
        self.assertEqual([path.name for path in self.machine.home.glob("archive*")], ["archive.tar"])

    def test_what_a_disk_does_not_give_back_is_no_backup(self) -> None:
        self.seal()
        done = self.machine.run("strace", "-f", "-o", "/dev/null", "-P", f"{self.archive}.partial", "-e",
                                "trace=read", "-e", "inject=read:error=EIO:when=1", settings().command,
                                "backup", str(self.archive))
        self.assertIn("Input/output error", done.failed())
        self.assertEqual(list(self.machine.home.glob("archive*")), [])

    def test_killed_anywhere_the_next_one_is_whole(self) -> None:
        self.seal()
        killed = 0
        for call in ("fsync", "renameat", "write"):
            for when in range(1, 1000):
                done = self.machine.run(
                    "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
                    "-e", f"inject={call}:signal=KILL:when={when}", settings().command, "backup",
                    str(self.archive), "--force", "--json")
                if done.code == 0:
                    break
                self.assertIn(done.code, (-signal.SIGKILL, 128 + signal.SIGKILL), done.err)
                killed += 1
                if self.archive.exists():
                    self.assertEqual(manifest_of(self.archive)["secrets"], 3)
                self.assertEqual(self.back_up()["secrets"], 3)
                self.assertEqual([path.name for path in self.machine.home.glob("archive*")], ["archive.tar"])
                self.archive.unlink()
        self.assertGreater(killed, 3)


class LeftOut(BackupCase):
    def test_what_is_not_in_it_is_told_and_in_the_manifest(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        first, second, third = (secret.uuid for secret in self.secrets)
        damaged = sealed_in(self.store, self.secrets[1])
        altered = bytearray(damaged.read_bytes())
        altered[-30] ^= 1
        damaged.write_bytes(altered)
        write_file(self.store / f"{first}.jwe.aside-1", "old")
        write_file(self.store / f"{first.upper()}.xml", "<secret/>")
        os.mkfifo(self.store / f"{third}.base64")
        expected = {f"{second}.jwe": "damaged",
                    f"{first}.jwe.aside-1": "aside",
                    f"{first.upper()}.xml": "definition", f"{third}.base64": "damaged",
                    f"{third}.jwe": "shadowed"}
        said = self.back_up(code=1)
        self.assertEqual({os.path.basename(each["file"]): each["kind"] for each in said["leftOut"]}, expected)
        self.assertEqual(manifest_of(self.archive)["leftOut"], said["leftOut"])
        self.assertEqual((said["secrets"], said["withoutValue"]), (3, 2))
        text = self.keyhold.run("backup", str(self.archive), "--force").out
        for name in expected:
            self.assertRegex(text, f"left out: .*{re.escape(name)}")

    def test_a_value_that_an_interrupted_change_left_under_another_name(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        sealed = sealed_in(self.store, self.secrets[0])
        sealed.rename(f"{sealed}.keyhold-leaving")
        result = self.keyhold.run("backup", str(self.archive))
        self.assertEqual(result.code, 2)
        self.assertIn(self.secrets[0].uuid, result.err)
        self.assertFalse(self.archive.exists())
        self.keyhold.json("seal")  # puts it right
        self.assertEqual(self.back_up()["withoutValue"], 0)


class Changer(threading.Thread):
    """Takes a secret through uses, each with a value that says which use it is of."""

    PAUSE = 0.1  # seconds, in which a reading can end

    def __init__(self, connection: libvirt.virConnect, secret: Secret) -> None:
        super().__init__()
        self.connection, self.secret = connection, secret
        self.stopping = threading.Event()
        self.fault: BaseException | None = None
        self.rounds = 0

    def run(self) -> None:
        try:
            handle = self.connection.secretLookupByUUIDString(self.secret.uuid)
            while not self.stopping.is_set():
                self.rounds += 1
                handle.undefine()
                now = replace(self.secret, usage=f"turn {self.rounds}")
                handle = self.connection.secretDefineXML(now.xml)
                for n in range(3):
                    handle.setValue(f"{self.rounds}:{n}".encode())
                self.stopping.wait(self.PAUSE)
        except BaseException as fault:
            self.fault = fault


class BesideADaemon(BackupCase):
    """Each secret in an archive is one that there was. The command is slowed down, so that changes come
    between the files it reads."""

    COUNT = 3
    BACKUPS = 25

    def back_up_slowly(self, *arguments: str) -> Any:
        value = f"{self.secrets[0].uuid}.base64"
        done = self.machine.run(
            "strace", "-f", "-o", "/dev/null", "-P", value, "-e", "trace=openat", "-e",
            "inject=openat:delay_enter=30ms", settings().command, "backup", str(self.archive), "--force",
            "--json", *arguments)
        return json.loads(done.ok())

    def back_up_beside_a_changer(self, *arguments: str) -> list[dict[str, bytes]]:
        daemon = self.start()
        secret = self.secrets[0]
        connection = daemon.open()
        handle = connection.secretDefineXML(secret.xml)
        handle.undefine()
        handle = connection.secretDefineXML(replace(secret, usage="turn 0").xml)
        handle.setValue(b"0:0")
        changer = Changer(connection, secret)
        changer.start()
        archives = []
        try:
            for _ in range(self.BACKUPS):
                said = self.back_up_slowly(*arguments)
                self.assertEqual(said["leftOut"], [])
                self.assertGreaterEqual(said["secrets"], self.COUNT - 1)
                self.assertLessEqual(said["start"], said["end"])
                archives.append(content_of(self.archive))
        finally:
            changer.stopping.set()
            changer.join()
        self.assertIsNone(changer.fault)
        self.assertGreater(changer.rounds, 3, "nothing changed beside the backups")
        for other in self.secrets[1:]:
            for members in archives:
                self.assertIn(f"secrets/{other.uuid}.xml", members)
        return archives

    def test_definition_and_value_belong_together(self) -> None:
        seen = set()
        for members in self.back_up_beside_a_changer("--plain"):
            definition = members.get(f"secrets/{self.secrets[0].uuid}.xml")
            value = members.get(f"secrets/{self.secrets[0].uuid}.base64")
            if definition is None:
                self.assertIsNone(value)
                continue
            use = USE.search(definition)
            assert use
            if value is not None:
                self.assertEqual(base64.b64decode(value).split(b":")[0], use[1])
            seen.add(use[1])
        self.assertGreater(len(seen), 1)

    def test_sealed_ones_too(self) -> None:
        self.configure()
        self.keyhold.json("seal")
        archives = self.back_up_beside_a_changer()
        self.assertEqual({name for members in archives for name in members if name.endswith(".base64")}, set())

    def test_the_daemon_keeps_its_locks(self) -> None:
        daemon = self.start()
        self.back_up("--plain")
        self.assertEqual(self.keyhold.status()["holder"]["pid"], daemon.pid)
        self.define(daemon.open(), Secret(usage="after"), b"value")
