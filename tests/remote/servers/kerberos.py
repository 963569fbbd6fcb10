# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Kerberos realm: MIT's krb5kdc and its database."""

import subprocess

from example_host import NAME, ExampleHost
from harness.secret_files import write_file
from harness.waiting import wait_for

REALM = "EXAMPLE.COM"
KEYTAB = "/etc/libvirt/krb5.tab"
# one second of grace for a ticket that has expired
CLIENT = f"""\
[libdefaults]
  default_realm = {REALM}
  clockskew = 1
  default_ccache_name = FILE:/root/krb5cc_%{{uid}}
  default_rcache_name = file2:/root/rcache_%{{uid}}
[realms]
  {REALM} = {{
    kdc = {NAME}
  }}
[domain_realm]
  {NAME} = {REALM}
"""
SERVER = """\
[realms]
  {realm} = {{
    database_name = {directory}/principal
    key_stash_file = {directory}/stash
    acl_file = {directory}/kadm5.acl
  }}
"""


class Kdc:
    """Serves the realm from the construction to `close`; the host's libvirtd has a key in KEYTAB."""

    def __init__(self, machine: ExampleHost) -> None:
        self._machine = machine
        directory = machine.home / "kdc"
        directory.mkdir()
        write_file(machine.system_etc / "krb5.conf", CLIENT, 0o644)
        write_file(directory / "kdc.conf", SERVER.format(realm=REALM, directory=directory))
        self._env = {"KRB5_KDC_PROFILE": str(directory / "kdc.conf")}
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self._run("kadmin.local", "addprinc", "-randkey", f"libvirt/{NAME}")
        self._run("kadmin.local", "ktadd", "-k", KEYTAB, f"libvirt/{NAME}")
        with (directory / "kdc.out").open("wb") as output:
            self._process = machine.popen("krb5kdc", "-n", env=self._env, stdin=subprocess.DEVNULL,
                                          stdout=output, stderr=output)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def add_user(self, name: str, password: str) -> None:
        self._run("kadmin.local", "addprinc", "-pw", password, name)

    def log_in(self, name: str, password: str, *options: str) -> None:
        """Leaves root of the host a ticket, once the KDC answers."""
        def got() -> bool:
            return self._machine.run("kinit", *options, name, stdin=password + "\n").code == 0
        wait_for("kinit gets a ticket", got)

    def log_out(self) -> None:
        self._machine.run("kdestroy").ok()

    def wait_expired(self) -> None:
        """For the KDC to refuse the ticket that root of the host has."""
        def refused() -> bool:
            done = self._machine.run("kvno", f"libvirt/{NAME}")
            return done.code != 0 and "Ticket expired" in done.err
        wait_for("the ticket expires", refused)

    def _run(self, *command: str) -> None:
        self._machine.run(*command, env=self._env).ok()
