// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/symbol_lookup.h"
#include "child.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string_view>

#include <dlfcn.h>

using namespace keyhold::abi;

namespace {

void *libvirtHandle() {
    return dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
}

void *addressAt(const Symbols &table, std::size_t offset) {
    void *address = nullptr;
    std::memcpy(&address, reinterpret_cast<const char *>(&table) + offset, sizeof(address));
    return address;
}

} // namespace

TEST(Symbols, NothingIsMissingInTheLibvirtOfThisProcess) {
    EXPECT_STREQ(loadSymbols(), "");
}

TEST(Symbols, EntriesCoverTheWholeTable) {
    EXPECT_EQ(symbolEntries().size() * sizeof(void *), sizeof(Symbols));
    for (std::size_t i = 0; i < symbolEntries().size(); ++i)
        EXPECT_EQ(symbolEntries()[i].offset, i * sizeof(void *)) << symbolEntries()[i].name;
}

TEST(Symbols, EveryEntryPointsIntoLibvirtItself) {
    for (const SymbolEntry &entry : symbolEntries()) {
        void *address = addressAt(symbols(), entry.offset);
        Dl_info info{};
        ASSERT_NE(dladdr(address, &info), 0) << entry.name;
        EXPECT_NE(std::string_view(info.dli_fname).find("/libvirt.so.0"), std::string_view::npos)
            << entry.name << " is in " << info.dli_fname;
        EXPECT_STREQ(info.dli_sname, entry.name);
    }
}

TEST(Symbols, TheFirstMissingOneIsNamedAndTheOthersAreFound) {
    const std::array entries{
        SymbolEntry{"virGetSecret", offsetof(Symbols, virGetSecret)},
        SymbolEntry{"virNoSuchFunction", offsetof(Symbols, virObjectUnref)},
        SymbolEntry{"virNoSuchFunctionEither", offsetof(Symbols, virLogMessage)},
        SymbolEntry{"virURIGetParam", offsetof(Symbols, virURIGetParam)},
    };
    Symbols table = symbols();
    EXPECT_STREQ(lookUpSymbols(libvirtHandle(), entries, table), "virNoSuchFunction");
    EXPECT_NE(table.virGetSecret, nullptr);
    EXPECT_EQ(table.virObjectUnref, nullptr);
    EXPECT_EQ(table.virLogMessage, nullptr);
    EXPECT_NE(table.virURIGetParam, nullptr);
}

TEST(Symbols, AProcessWithoutLibvirtIsTold) {
    EXPECT_EQ(runBeside("", "abi_first_load"), "missing: 'libvirt.so.0', virGetSecret null\n");
}

TEST(Symbols, TheFirstLookupMayBeMadeByManyThreads) {
    EXPECT_EQ(runBeside("", "abi_first_load", "threads"), "missing: '', virGetSecret found\n");
}
