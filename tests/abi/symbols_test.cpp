// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbols.h"

#include "child.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <iterator>
#include <string_view>

#include <dlfcn.h>

using namespace keyhold::abi;

namespace {

constexpr const char *kNames[] = {
#define KEYHOLD_NAME(result, name, parameters) #name,
    KEYHOLD_LIBVIRT_SYMBOLS(KEYHOLD_NAME)
#undef KEYHOLD_NAME
        "virThreadJobGet", // the one that may be missing
};
static_assert(std::size(kNames) * sizeof(void *) == sizeof(Symbols));

} // namespace

TEST(Symbols, NothingIsMissingInTheLibvirtOfThisProcess) {
    EXPECT_STREQ(loadSymbols(), "");
}

TEST(Symbols, EachIsTheFunctionOfItsNameInLibvirtItself) {
    std::array<void *, std::size(kNames)> addresses;
    std::memcpy(addresses.data(), &symbols(), sizeof(Symbols));
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        Dl_info info{};
        ASSERT_NE(dladdr(addresses[i], &info), 0) << kNames[i];
        EXPECT_NE(std::string_view(info.dli_fname).find("/libvirt.so.0"), std::string_view::npos)
            << kNames[i] << " is in " << info.dli_fname;
        EXPECT_STREQ(info.dli_sname, kNames[i]);
    }
}

TEST(Symbols, TheFirstMissingOneIsNamedAndTheOthersAreFound) {
    void *library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
    const auto findMost = [](void *in, const char *name) {
        const std::string_view text(name);
        return text == "virObjectUnref" || text == "virLogMessage" ? nullptr : dlsym(in, name);
    };
    Symbols table = symbols();
    EXPECT_STREQ(lookUpSymbols(table, library, findMost), "virObjectUnref");
    EXPECT_EQ(table.virObjectUnref, nullptr);
    EXPECT_EQ(table.virLogMessage, nullptr);
    table.virObjectUnref = symbols().virObjectUnref;
    table.virLogMessage = symbols().virLogMessage;
    EXPECT_EQ(std::memcmp(&table, &symbols(), sizeof(Symbols)), 0);
}

TEST(Symbols, TheOneThatMayBeMissingIsNotNamed) {
    void *library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
    const auto findMost = [](void *in, const char *name) {
        return std::string_view(name) == "virThreadJobGet" ? nullptr : dlsym(in, name);
    };
    Symbols table;
    EXPECT_STREQ(lookUpSymbols(table, library, findMost), "");
    EXPECT_EQ(table.virThreadJobGet, nullptr);
}

TEST(Symbols, AProcessWithoutLibvirtIsTold) {
    EXPECT_EQ(runBeside("", "abi_first_load"), "missing: 'libvirt.so.0', virGetSecret null\n");
}

TEST(Symbols, TheFirstLookupMayBeMadeByManyThreads) {
    EXPECT_EQ(runBeside("", "abi_first_load", "threads"), "missing: '', virGetSecret found\n");
}
