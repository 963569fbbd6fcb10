#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which failures of the tests of other releases count."""

from __future__ import annotations

import contextlib
import io
import unittest

from result import Report

LISTED, UNLISTED = "11.3.0", "99.9.9"


class Counting(unittest.TestCase):
    def setUp(self) -> None:
        self.report = Report()
        self.output = io.StringIO()
        self.enterContext(contextlib.redirect_stdout(self.output))

    def finish(self) -> tuple[int, list[str]]:
        self.report.note("something good", True, "")
        self.output.truncate(0)
        self.output.seek(0)
        code = self.report.finish()
        return code, self.output.getvalue().splitlines()

    def test_a_failure_in_a_listed_release_counts(self) -> None:
        self.report.begin("trixie", LISTED, "")
        self.report.note("trixie: build", False, "exit 1")
        self.assertEqual(self.finish(), (1, ["FAILED trixie: build", "1 passed, 1 failed"]))

    def test_in_one_that_is_not_listed_it_is_told_and_does_not_count(self) -> None:
        self.report.begin("sid", UNLISTED, "libvirt 99.9.9 is not listed")
        self.report.note("sid: build", False, "exit 1\nand more")
        self.assertEqual(self.finish(), (0, ["NOT COUNTED sid: libvirt 99.9.9 is not listed",
                                             "NOT COUNTED sid: build: exit 1",
                                             "1 passed, 0 failed, 2 not counted"]))

    def test_a_release_that_is_not_listed_is_told_where_all_passes(self) -> None:
        self.report.begin("sid", UNLISTED, "libvirt 99.9.9 is not listed")
        self.report.note("sid: build", True, "")
        self.assertEqual(self.finish(), (0, ["NOT COUNTED sid: libvirt 99.9.9 is not listed",
                                             "2 passed, 0 failed, 1 not counted"]))

    def test_of_several_releases_the_one_that_is_named_decides(self) -> None:
        self.report.begin("sid", UNLISTED, "not listed")
        self.report.begin("trixie", LISTED, "")
        self.report.begin_together()
        self.report.note(f"virsh of {UNLISTED}, libvirtd of {LISTED}", False, "no answer")
        self.report.note(f"virsh of 9.0.0, libvirtd of {LISTED}", False, "no answer")
        self.assertEqual(self.report.failed, [f"virsh of 9.0.0, libvirtd of {LISTED}"])
        self.report.begin_with(UNLISTED)
        self.report.note("a store under Keyhold on 9.0.0", False, "no value")
        self.assertEqual(len(self.report.failed), 1)

    def test_a_suite_that_cannot_be_had_is_told(self) -> None:
        self.report.leave_out("sid", "its packages cannot be installed today")
        self.assertEqual(self.finish(), (0, [
            "NOT COUNTED sid: left out: its packages cannot be installed today",
            "1 passed, 0 failed, 1 not counted"]))

    def test_nothing_run_is_no_success(self) -> None:
        self.assertEqual(self.report.finish(), 1)


if __name__ == "__main__":
    unittest.main()
