# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a program under the filter that systemd would make of SystemCallFilter=,
RestrictAddressFamilies= and MemoryDenyWriteExecute=yes.

    confine.py NUMBER,... FAMILY,... PROGRAM ARGUMENT...

NUMBERs of the system calls and of the address families that are allowed. Needs no_new_privs (seccomp(2)).
For x86-64."""

import ctypes
import errno
import os
import struct
import sys

LOAD, EQUAL, RETURN, AND = 0x20, 0x15, 0x06, 0x54  # linux/bpf_common.h
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # struct seccomp_data
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
X86_64 = 0xC000003E
MMAP, MPROTECT, SOCKET, PKEY_MPROTECT = 9, 10, 41, 329
WRITE_AND_EXECUTE, EXECUTE = 6, 4
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2

Step = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def load(offset: int) -> Step:
    return LOAD, 0, 0, offset


def refuse(number: int) -> Step:
    return RETURN, 0, 0, REFUSE | number


def if_equal(value: int, then: list[Step]) -> list[Step]:
    return [(EQUAL, 0, len(then), value), *then]


def memory(call: int, forbidden: int) -> list[Step]:
    return if_equal(call, [load(ARGUMENTS + 16), (AND, 0, 0, forbidden),
                           (EQUAL, 0, 1, forbidden), refuse(errno.EPERM), load(NUMBER)])


def program(calls: list[int], families: list[int]) -> list[Step]:
    steps = [load(ARCHITECTURE), (EQUAL, 1, 0, X86_64), refuse(errno.EPERM), load(NUMBER)]
    steps += memory(MMAP, WRITE_AND_EXECUTE) + memory(MPROTECT, EXECUTE) + memory(PKEY_MPROTECT, EXECUTE)
    allowed = [step for family in families for step in if_equal(family, [(RETURN, 0, 0, ALLOW)])]
    steps += if_equal(SOCKET, [load(ARGUMENTS), *allowed, refuse(errno.EAFNOSUPPORT)])
    for number in calls:
        steps += if_equal(number, [(RETURN, 0, 0, ALLOW)])
    return [*steps, refuse(errno.EPERM)]


def main() -> None:
    calls, families = ([int(number) for number in text.split(",")] for text in sys.argv[1:3])
    steps = program(calls, families)
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    filter_ = ctypes.create_string_buffer(struct.pack("<H6xQ", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(filter_)), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")
    os.execvp(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
