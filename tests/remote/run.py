#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests of connections: every URI, real servers, real guests. See
tests/harness/command_line.py."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the source directory stays as it is
sys.path.insert(0, str(HERE.parent))

from harness.command_line import main  # noqa: E402

TOOLS = ("dbus-daemon", "dbus-send", "gdbus", "ocaml", "perl", "ruby", "ip", "hostname", "certtool",
         "saslpasswd2", "krb5kdc", "kdb5_util", "kadmin.local", "kinit", "kvno", "sshd", "ssh",
         "nc", "virt-ssh-helper", "qemu-img", "qemu-nbd", "swtpm", "swtpm_ioctl", "tgtd", "gnutls-cli",
         "virt-qemu-run", "systemd-analyze", "secilc")


if __name__ == "__main__":
    sys.exit(main(HERE, "Runs the tests of connections.", TOOLS))
