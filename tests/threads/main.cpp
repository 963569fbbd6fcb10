// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs one test: what an embedding process has open is a property of the whole process, so no two
// tests may share one. The names are listed in meson.build; --check-list compares that list with
// the program.
#include "threads/other_process.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <libvirt/virterror.h>

namespace {

std::set<std::string> allTests() {
    std::set<std::string> names;
    const testing::UnitTest &program = *testing::UnitTest::GetInstance();
    for (int i = 0; i < program.total_test_suite_count(); ++i) {
        const testing::TestSuite &suite = *program.GetTestSuite(i);
        for (int j = 0; j < suite.total_test_count(); ++j)
            names.insert(std::string(suite.name()) + "." + suite.GetTestInfo(j)->name());
    }
    return names;
}

int checkList(const std::set<std::string> &listed) {
    const std::set<std::string> present = allTests();
    for (const std::string &name : present) {
        if (!listed.contains(name))
            std::printf("not listed in meson.build: %s\n", name.c_str());
    }
    for (const std::string &name : listed) {
        if (!present.contains(name))
            std::printf("listed in meson.build, but there is no such test: %s\n", name.c_str());
    }
    return present == listed ? 0 : 1;
}

bool hasModule() {
    const char *directory = std::getenv("LIBVIRT_DRIVER_DIR");
    return directory &&
           std::filesystem::exists(std::string(directory) + "/libvirt_driver_secret.so");
}

// Threads that open the first embedded connection at once each make libvirt's access manager, and
// all but one are lost: a leak of libvirt's own (seen in 9.0.0), which would fail the test. This
// one stays referenced when libvirt lets it go.
void makeAccessManager() {
    const auto make =
        reinterpret_cast<void *(*)(const char *)>(dlsym(RTLD_DEFAULT, "virAccessManagerNew"));
    const auto install =
        reinterpret_cast<void (*)(void *)>(dlsym(RTLD_DEFAULT, "virAccessManagerSetDefault"));
    if (!make || !install)
        return;
    static void *const manager = make("none");
    install(manager);
}

} // namespace

int main(int argc, char **argv) {
    testing::InitGoogleTest(&argc, argv);
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 3 && arguments[0] == "--other-process")
        return keyhold::OtherProcess::run(arguments[1], arguments[2]);
    if (!arguments.empty() && arguments[0] == "--check-list")
        return checkList({arguments.begin() + 1, arguments.end()});
    if (arguments.size() != 1 || !allTests().contains(arguments[0])) {
        std::fprintf(stderr, "usage: %s SUITE.TEST\n", argv[0]);
        return 2;
    }
    if (!hasModule()) {
        std::fputs("LIBVIRT_DRIVER_DIR must name the directory of the module under test\n", stderr);
        return 2;
    }
    makeAccessManager();
    testing::GTEST_FLAG(filter) = arguments[0];
    return RUN_ALL_TESTS();
}
