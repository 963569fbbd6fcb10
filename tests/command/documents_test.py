#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The man page and the completion of keyhold, beside what the program itself says.

Run as: documents_test.py KEYHOLD MAN_PAGE COMPLETION"""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

COMMAND, MAN_PAGE, COMPLETION = (Path(argument) for argument in sys.argv[1:4])


def help_of(*command: str) -> str:
    return subprocess.run([COMMAND, *command, "--help"], check=True, capture_output=True, text=True).stdout


def options_of(*command: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z-]+", help_of(*command)))


def subcommands_of(*command: str) -> list[str]:
    listed = help_of(*command).split("Subcommands:\n")
    return re.findall(r"^  ([a-z-]+) ", listed[1], re.MULTILINE) if len(listed) > 1 else []


def leaves(*command: str) -> list[tuple[str, ...]]:
    below = subcommands_of(*command)
    return [leaf for name in below for leaf in leaves(*command, name)] if below else [command]


def man(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""}
    return subprocess.run(["man", *options, "-l", str(MAN_PAGE)], check=True, capture_output=True,
                          text=True, env=environment)


def completions(*words: str, directory: Path | None = None) -> list[str]:
    """What bash offers for the last word."""
    script = """
        source "$1"; shift
        COMP_WORDS=(keyhold "$@"); COMP_CWORD=$#
        _keyhold
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-euc", script, "bash", COMPLETION.absolute(), *words], check=True,
                          capture_output=True, text=True, cwd=directory)
    return sorted(done.stdout.split())


class ManPage(unittest.TestCase):
    def test_there_are_no_warnings(self) -> None:
        shown = man("--warnings")
        self.assertEqual(shown.stderr, "")
        self.assertIn("SYNOPSIS", shown.stdout)

    def test_every_command_and_option_is_there(self) -> None:
        text = re.sub(r"\s+", " ", man().stdout)
        synopsis = text.partition(" DESCRIPTION ")[0]
        source = MAN_PAGE.read_text(encoding="ascii").replace("\\-", "-")
        for command in leaves():
            self.assertRegex(synopsis, rf"(keyhold|\|) {' '.join(command)}\b")
            self.assertRegex(source, rf"(?m)^\.TP\n\.B {' '.join(command)}\b")
            for option in options_of(*command):
                self.assertIn(option, text)


class Completion(unittest.TestCase):
    def test_commands(self) -> None:
        self.assertEqual(completions(""), sorted([*subcommands_of(), "--help", "--version"]))
        self.assertEqual(completions("key", ""), sorted([*subcommands_of("key"), "--help"]))
        self.assertEqual(completions("se"), ["seal", "set"])

    def test_every_option_and_no_other(self) -> None:
        for command in leaves():
            self.assertEqual(completions(*command, "-"), sorted(options_of(*command)), command)

    def test_files(self) -> None:
        here = str(COMPLETION)
        for words in (("verify", "--key"), ("key", "show-id"), ("key", "export", "--jwk"),
                      ("backup", "--plain"), ("restore",)):
            self.assertIn(here, completions(*words, here[:-1]), words)
        self.assertEqual(completions("verify", "--root", here), [])
        self.assertIn(str(COMPLETION.parent), completions("verify", "--root", str(COMPLETION.parent)))

    def test_an_option_and_its_argument_in_one_word(self) -> None:
        """To bash these are three."""
        for option in ("--root", "--key"):
            self.assertIn(str(COMPLETION.parent),
                          completions("verify", option, "=", str(COMPLETION.parent)[:-1]))
        self.assertIn("completion", completions("verify", "--root", "=", directory=COMPLETION.parent.parent))
        self.assertIn("--json", completions("verify", "--root", "=", "key", "--"))

    def test_the_argument_of_an_option_is_no_command(self) -> None:
        self.assertIn("--json", completions("verify", "--root", "key", "--"))
        self.assertIn("--define", completions("set", "--description", "key", "--"))
        self.assertIn("--since", completions("audit", "show", "--action", "key", "--"))

    def test_actions_and_outcomes_of_records(self) -> None:
        """Those that the program names."""
        done = subprocess.run([COMMAND, "audit", "show", "--action", "frobnicate"], capture_output=True, text=True)
        named = done.stderr.partition("there are ")[2].strip().split(", ")
        self.assertEqual(completions("audit", "show", "--action", ""), sorted(named))
        self.assertEqual(completions("audit", "show", "--outcome", "s"), ["success"])


class CommandLine(unittest.TestCase):
    def test_wrong_arguments_exit_with_two(self) -> None:
        for words in ((), ("frobnicate",), ("status", "--no-such"), ("key",), ("key", "export")):
            done = subprocess.run([COMMAND, *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, words)
            self.assertNotEqual(done.stderr, "")

    def failure(self, *words: str) -> str:
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""), words)
        return done.stderr

    def test_an_unknown_word_is_named_with_the_nearest(self) -> None:
        self.assertEqual(self.failure("veryfi"), "keyhold: there is no command 'veryfi'; did you mean 'verify'?\n")
        self.assertEqual(self.failure("key", "generat"),
                         "keyhold: there is no command 'key generat'; did you mean 'generate'?\n")
        self.assertEqual(self.failure("frobnicate"), "keyhold: there is no command 'frobnicate'\n")
        self.assertIn("did you mean '--verbose'?", self.failure("status", "--verbos"))
        self.assertIn("name a command, one of status, verify", self.failure())

    def test_an_error_is_json_where_that_was_asked_for(self) -> None:
        for words in (("veryfi", "--json"), ("status", "--no-such", "--json"), ("show", "nonsense", "--json"),
                      ("verify", "--json", "--root", "/nowhere")):
            done = subprocess.run([COMMAND, *words], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (2, ""), words)
            self.assertNotEqual(json.loads(done.stdout)["error"]["text"], "")

    def test_output_that_cannot_be_written_is_no_success(self) -> None:
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([COMMAND, "key", "generate", "--help"], stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)

    def test_only_public_names_of_libvirt_are_linked(self) -> None:
        listed = subprocess.run(["objdump", "-T", COMMAND], check=True, capture_output=True, text=True)
        self.assertNotIn("LIBVIRT_PRIVATE", listed.stdout)
        self.assertIn("LIBVIRT_", listed.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
