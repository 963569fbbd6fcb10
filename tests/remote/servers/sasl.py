# SPDX-License-Identifier: LGPL-2.1-or-later
"""SASL on the server, and the names and passwords of its users."""

from harness.secret_files import write_file

from example_host import NAME, ExampleHost

DATABASE = "/etc/libvirt/passwd.db"


def offer_scram(machine: ExampleHost) -> None:
    _configure(machine, f"mech_list: scram-sha-256\nsasldb_path: {DATABASE}\n")


def offer_gssapi(machine: ExampleHost, keytab: str) -> None:
    _configure(machine, f"mech_list: gssapi\nkeytab: {keytab}\n")


def add_user(machine: ExampleHost, name: str, password: str) -> None:
    machine.run("saslpasswd2", "-p", "-c", "-f", DATABASE, "-a", "libvirt", name, stdin=password).ok()


def remember_password(machine: ExampleHost, name: str, password: str) -> None:
    """In the client's auth.conf, for the host itself and for its unix socket."""
    write_file(machine.etc / "auth.conf", f"""\
[credentials-example]
authname={name}
password={password}

[auth-libvirt-{NAME}]
credentials=example

[auth-libvirt-localhost]
credentials=example
""")


def _configure(machine: ExampleHost, text: str) -> None:
    directory = machine.system_etc / "sasl2"
    directory.mkdir(exist_ok=True)
    write_file(directory / "libvirt.conf", text, 0o644)
