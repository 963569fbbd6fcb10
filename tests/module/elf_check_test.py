#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows that every check of elf_check.py can fail: small shared objects, each wrong in one way."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from elf_check import CHECKS, read_module

COMPILER: list[str] = ["c++"]

SOURCE = """
extern "C" __attribute__((visibility("default"))) int secretRegister() {
    volatile char text[64];
    text[0] = 0;
    return text[0];
}
"""
HARDENED = ["-fPIC", "-fstack-protector-strong", "-fvisibility=hidden", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack",
            "-static-libstdc++", "-Wl,--exclude-libs,ALL"]


class EveryCheckCanFail(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="keyhold-elf-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def build(self, source: str, *options: str) -> Path:
        path = self.directory / "module.so"
        subprocess.run(
            [*COMPILER, "-std=c++20", "-shared", "-x", "c++", "-", "-x", "none", *HARDENED, *options]
            + ["-o", str(path)],
            input=SOURCE + source,
            text=True,
            check=True,
        )
        return path

    def failing(self, source: str = "", *options: str) -> set[str]:
        module = read_module(str(self.build(source, *options)))
        return {name for name, check in CHECKS.items() if check(module, False)}

    def test_a_module_as_it_should_be_passes_every_check(self) -> None:
        self.assertEqual(self.failing(), set())

    def test_a_second_exported_function_is_found(self) -> None:
        source = '__attribute__((visibility("default"))) int second() { return 1; }'
        self.assertEqual(self.failing(source), {"exports"})

    def test_an_exported_weak_symbol_is_found(self) -> None:
        source = '__attribute__((weak, visibility("default"))) int second() { return 1; }'
        self.assertEqual(self.failing(source), {"exports"})

    def test_an_exported_unique_symbol_is_found(self) -> None:
        source = """
        __asm__(".data\\n.globl second\\n.type second, @gnu_unique_object\\n.size second, 4\\n"
                "second: .long 0\\n.text\\n");
        """
        path = self.build(source)
        bindings = {symbol.binding for symbol in read_module(str(path)).symbols}
        self.assertIn("UNIQUE", bindings)
        self.assertEqual(self.failing(source), {"exports"})

    def test_a_module_that_does_not_export_the_entry_is_found(self) -> None:
        script = self.directory / "local.map"
        script.write_text("{ local: *; };\n")
        self.assertEqual(self.failing("", f"-Wl,--version-script={script}"), {"exports"})

    def test_a_private_symbol_of_libvirt_is_found(self) -> None:
        libvirt = self.directory / "libvirt.so.0"
        script = self.directory / "libvirt.map"
        script.write_text("LIBVIRT_PRIVATE_9.0.0 { global: virObjectUnref; };\n")
        self.build_libvirt(libvirt, script)
        source = 'extern "C" void virObjectUnref(void *); void use() { virObjectUnref(nullptr); }'
        self.assertEqual(self.failing(source, str(libvirt)), {"imports"})

    def test_an_unversioned_symbol_of_libvirt_is_found(self) -> None:
        source = 'extern "C" void virObjectUnref(void *); void use() { virObjectUnref(nullptr); }'
        self.assertEqual(self.failing(source), {"imports"})

    def build_libvirt(self, path: Path, script: Path) -> None:
        subprocess.run(
            [*COMPILER, "-shared", "-fPIC", "-x", "c++", "-", f"-Wl,--version-script={script}"]
            + ["-Wl,-soname,libvirt.so.0", "-o", str(path)],
            input='extern "C" void virObjectUnref(void *) {}',
            text=True,
            check=True,
        )

    def test_a_library_that_is_not_on_the_list_is_found(self) -> None:
        options = ["-Wl,--no-as-needed", "-lresolv"]
        self.assertEqual(self.failing("", *options), {"libraries"})

    def test_a_static_object_with_a_destructor_is_found(self) -> None:
        source = "struct S { int n = 1; ~S() { n = 0; } } object;"
        self.assertEqual(self.failing(source), {"guest"})

    def test_a_thread_object_with_a_destructor_is_found(self) -> None:
        source = """
        struct S { int n = 1; ~S() { n = 0; } };
        static thread_local S object;
        int use() { return object.n; }
        """
        self.assertEqual(self.failing(source), {"guest"})

    def test_a_call_that_ends_or_changes_the_process_is_found(self) -> None:
        for call in ("abort()", "exit(1)", "umask(0)", 'setlocale(0, "")', 'setenv("A", "b", 1)',
                     "pthread_atfork(0, 0, 0)", 'puts("x")', 'perror("x")'):
            headers = ("clocale", "cstdio", "cstdlib", "pthread.h", "sys/stat.h")
            source = "".join(f"#include <{header}>\n" for header in headers)
            source += f"void use(int n) {{ if (n) {call}; }}"
            with self.subTest(call=call):
                self.assertEqual(self.failing(source), {"guest"})

    def test_what_a_library_in_the_module_does_is_not_ours(self) -> None:
        names = {}
        for name, text in (("ours", "void ours();"), ("theirs", "void theirs() { abort(); }")):
            names[name] = self.directory / f"{name}.o"
            subprocess.run([*COMPILER, "-c", *HARDENED[:3], "-x", "c++", "-", "-o", str(names[name])], text=True, check=True,
                           input=f"#include <cstdlib>\n{text}\nvoid use_{name}() {{ {name}(); }}")
        path = str(self.build("", str(names["theirs"])))
        for archives, expected in (((), {"guest"}), ([str(names["ours"])], set()), ([str(names["theirs"])], {"guest"})):
            module = read_module(path, archives)
            self.assertEqual({name for name, check in CHECKS.items() if check(module, False)}, expected)

    def test_functions_without_a_guarded_stack_are_found(self) -> None:
        self.assertEqual(self.failing("", "-fno-stack-protector"), {"stack-protector"})

    def test_a_module_without_relro_is_found(self) -> None:
        self.assertEqual(self.failing("", "-Wl,-z,norelro"), {"relro"})

    def test_lazy_binding_is_found(self) -> None:
        self.assertEqual(self.failing("", "-Wl,-z,lazy"), {"bind-now"})

    def test_an_executable_stack_is_found(self) -> None:
        self.assertEqual(self.failing("", "-Wl,-z,execstack"), {"stack"})

    def test_a_text_relocation_is_found(self) -> None:
        source = """
        static int target;
        __asm__(".text\\n.quad target_of_text\\n");
        extern "C" { __attribute__((visibility("hidden"), used)) int target_of_text; }
        """
        options = ["-Wl,-z,notext"]
        self.assertEqual(self.failing(source, *options), {"text-relocations"})

    def test_a_run_path_is_found(self) -> None:
        self.assertEqual(self.failing("", "-Wl,-rpath,/opt/lib"), {"search-path"})


if __name__ == "__main__":
    COMPILER = sys.argv[1:] or COMPILER
    unittest.main(argv=sys.argv[:1])
