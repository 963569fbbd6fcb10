# SPDX-License-Identifier: LGPL-2.1-or-later
"""keyhold restore: on another host, interrupted, and with archives that are none."""

import base64
import io
import shutil
import signal
import subprocess
import tarfile
from typing import Any

from harness.command_case import CommandCase
from harness.keyhold import Keyhold
from harness.sealed_files import secret_conf
from harness.secret_files import Secret, snapshot, write_file
from harness.settings import MODULE_NAME, installed_driver_dir, settings


class RestoreCase(CommandCase):
    """An archive of this host's store, and another host without secrets."""

    def setUp(self) -> None:
        super().setUp()
        self.configure()
        self.other = self.new_machine()
        self.there = Keyhold(self.other)
        self.archive = self.machine.home / "archive.tar"

    def back_up(self, *arguments: str) -> None:
        self.keyhold.json("backup", str(self.archive), "--force", *arguments)

    def configure_there(self) -> None:
        write_file(self.other.etc / "secret.conf", secret_conf(key=self.key))

    def restore(self, *arguments: str, code: int = 0) -> Any:
        return self.there.json("restore", str(self.archive), "--apply", *arguments, code=code)


class BesideNewerValues(RestoreCase):
    def test_a_value_that_the_backup_could_not_read_stays(self) -> None:
        self.keyhold.json("seal")
        sealed = self.store / f"{self.secrets[0].uuid}.jwe"
        good = sealed.read_bytes()
        sealed.write_bytes(good[:-9] + b"damaged..")
        self.keyhold.json("backup", str(self.archive), code=1)
        sealed.write_bytes(good)
        before = snapshot(self.store)
        self.keyhold.json("restore", str(self.archive), "--apply", "--replace", code=1)
        self.assertEqual(snapshot(self.store), before)


class OnAnotherHost(RestoreCase):
    def assertServed(self, **options: Any) -> None:
        connection = self.start(self.other, **options).open()
        self.assertListed(connection, *self.secrets)
        for secret, value in zip(self.secrets, self.values):
            self.assertEqual(self.value_of(connection, secret), value)

    def test_keyhold_serves_the_same(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        self.configure_there()
        self.assertEqual(self.restore()["written"], 3)
        self.assertEqual(snapshot(self.other.store), snapshot(self.store))
        self.assertServed()

    def test_the_stock_driver_serves_the_same_plain_values(self) -> None:
        self.back_up("--plain")
        self.assertEqual(self.restore()["written"], 3)
        drivers = self.other.home / "stock"
        drivers.mkdir()
        shutil.copy(installed_driver_dir() / MODULE_NAME, drivers)
        self.assertServed(driver_dir=str(drivers))

    def test_without_the_key_it_is_said_before_the_next_start(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        self.assertEqual(self.restore(code=1)["unopened"], {self.key.id: 3})
        text = self.there.run("restore", str(self.archive)).out
        self.assertIn(f"key {self.key.id} is not configured here", text)
        self.configure_there()
        self.assertServed()

    def test_unless_it_is_told_to_it_changes_nothing(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        text = self.there.run("restore", str(self.archive)).out
        self.assertIn("would be added: 3 secrets", text)
        self.assertIn("nothing was changed; --apply does it", text)
        self.assertFalse(self.other.store.exists())

    def test_beside_a_daemon_it_is_refused_and_says_what_to_stop(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        self.configure_there()
        daemon = self.start(self.other)
        error = self.there.run("restore", str(self.archive), "--apply").failed()
        self.assertIn(f"libvirtd (process {daemon.pid})", error)
        self.assertIn("systemctl stop libvirtd.service 'libvirtd*.socket'", error)
        self.assertEqual(snapshot(self.other.store), {})
        looked = self.there.run("restore", str(self.archive))
        self.assertIn("would be added: 3 secrets", looked.ok())
        self.assertIn("systemctl stop", looked.err)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.restore()["written"], 3)

    def test_whoever_has_the_directory_is_in_the_way(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        root = self.machine.home / "root"
        (root / "etc/secrets").mkdir(parents=True, mode=0o700)
        program = self.machine.popen("flock", "--no-fork", str(root / "etc/secrets"), "sh", "-c",
                                     "echo locked; exec sleep 1000", stdout=subprocess.PIPE)
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        assert program.stdout is not None
        self.assertEqual(program.stdout.readline(), b"locked\n")
        error = self.keyhold.run("restore", str(self.archive), "--root", str(root), "--apply").failed()
        self.assertIn(f"sleep (process {program.pid})", error)
        self.assertEqual(snapshot(root / "etc/secrets"), {})

    def test_no_output_has_a_value(self) -> None:
        self.back_up("--plain")
        for arguments in ((), ("--json",), ("--apply",), ("--apply", "--replace")):
            result = self.there.run("restore", str(self.archive), *arguments)
            result.ok()
            self.assertNothingIn(result.out + result.err,
                                 [*self.values, *map(base64.b64encode, self.values)])

    def test_a_user_restores_his_own_session(self) -> None:
        self.keyhold.json("seal")
        self.back_up()
        user = self.other.one
        mine = self.other.home / "mine.tar"
        shutil.copy(self.archive, mine)
        user.owns(mine)
        said = Keyhold(self.other, user).json("restore", str(mine), "--apply", code=1)
        self.assertEqual(said["written"], 3)
        self.assertEqual(snapshot(user.store), snapshot(self.store))
        self.assertEqual({path.stat().st_uid for path in user.store.iterdir()}, {user.uid})


class Killed(RestoreCase):
    """kill -9 at every call that changes the directory; the next run goes on."""

    CALLS = ("fsync", "linkat", "renameat", "unlinkat")

    def killed_at_every_call(self, *arguments: str) -> int:
        begin = snapshot(self.other.store) if self.other.store.exists() else {}
        aim = snapshot(self.store)
        killed = 0
        for call in self.CALLS:
            for when in range(1, 1000):
                shutil.rmtree(self.other.store, ignore_errors=True)
                self.other.store.mkdir(mode=0o700)
                for name, data in begin.items():
                    write_file(self.other.store / name, data)
                done = self.other.run(
                    "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
                    "-e", f"inject={call}:signal=KILL:when={when}", settings().command, "restore",
                    str(self.archive), "--apply", *arguments)
                if done.code == 0:
                    break
                self.assertIn(done.code, (-signal.SIGKILL, 128 + signal.SIGKILL), done.err)
                killed += 1
                self.assertEqual(self.there.status()["unreadable"], 0)
                # What is there under a public name is the former or the new one.
                for name, data in snapshot(self.other.store).items():
                    if "keyhold" not in name:
                        self.assertIn(data, (begin.get(name), aim[name]), f"{call} {when}")
                self.restore(*arguments)
                self.assertEqual(snapshot(self.other.store), aim, f"{call} {when}")
        return killed

    def setUp(self) -> None:
        super().setUp()
        self.keyhold.json("seal")
        self.back_up()
        self.configure_there()

    def test_of_new_secrets(self) -> None:
        self.assertGreater(self.killed_at_every_call(), 4 * self.COUNT)

    def test_of_values_that_are_replaced(self) -> None:
        for secret, value in zip(self.secrets, self.values):
            secret.write(self.other.store, b"former " + value)
        self.there.json("seal")
        self.assertGreater(self.killed_at_every_call("--replace"), 3 * self.COUNT)


class ForgedArchives(RestoreCase):
    """What is no backup changes nothing, whatever is right in it."""

    COUNT = 1

    def setUp(self) -> None:
        super().setUp()
        self.keyhold.json("seal")
        self.back_up()
        self.configure_there()
        with tarfile.open(self.archive) as tar:
            self.good = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]

    def assertRefused(self, *words: str) -> None:
        result = self.there.run("restore", str(self.archive), "--apply")
        self.assertEqual(result.code, 2, result.out)
        for word in (str(self.archive), *words):
            self.assertIn(word, result.err)
        self.assertFalse(self.other.store.exists())

    def with_member(self, name: str, **more: Any) -> None:
        with tarfile.open(self.archive, "w") as tar:
            extra = tarfile.TarInfo(name)
            for attribute, value in more.items():
                setattr(extra, attribute, value)
            tar.addfile(extra)
            for member, data in self.good:
                tar.addfile(member, io.BytesIO(data))

    def test_links_devices_and_paths(self) -> None:
        name = f"secrets/{Secret().uuid}.xml"
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            self.with_member(name, type=kind, linkname="/etc/shadow")
            self.assertRefused("not a regular file")
        for path in ("../../etc/passwd", "/etc/passwd", "secrets/../x.xml", "secrets/x\n\x1b[31m.xml"):
            self.with_member(path)
            self.assertRefused("which no backup has")

    def test_a_name_in_an_extended_header_is_no_other(self) -> None:
        self.with_member("secrets/x", pax_headers={"path": "../../etc/passwd"})
        self.assertRefused("which no backup has")

    def test_a_size_that_no_file_has(self) -> None:
        for size in (1 << 33, (1 << 33) - 1, 1 << 62):
            header = tarfile.TarInfo(f"secrets/{Secret().uuid}.xml")
            header.size = size
            self.archive.write_bytes(header.tobuf(tarfile.GNU_FORMAT))
            self.assertRefused("of more than")

    def test_a_value_that_is_cut_or_swapped(self) -> None:
        self.archive.write_bytes(self.archive.read_bytes()[:2048])
        self.assertRefused("cut off")
        with tarfile.open(self.archive, "w") as tar:
            for member, data in self.good:
                other = b"B" if data[-9:-8] == b"A" else b"A"  # of the same alphabet
                changed = data[:-9] + other + data[-8:] if member.name.endswith("jwe") else data
                tar.addfile(member, io.BytesIO(changed))
        self.assertRefused("was altered")
        write_file(self.other.etc / "secret.conf", "")
        self.assertRefused("not as its MANIFEST.json says")

    def test_what_is_no_archive(self) -> None:
        for content in (b"", b"x" * 5000, b"\x1f\x8b\x08" + bytes(600)):
            write_file(self.archive, content)
            self.assertRefused()
        self.archive.unlink()
        self.assertRefused("No such file")
        self.archive.mkdir()
        self.assertRefused("not a regular file")

    def test_tar_packs_it_again(self) -> None:
        """In the same order, another tar program's archive is as good."""
        there = self.machine.home / "unpacked"
        there.mkdir()
        self.machine.run("tar", "-xf", str(self.archive), "-C", str(there)).ok()
        names = [member.name for member, _ in self.good]
        self.machine.run("tar", "-cf", str(self.archive), "-C", str(there), *names).ok()
        self.assertEqual(self.restore()["written"], 1)
