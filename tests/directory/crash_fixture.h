// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/store_fixture.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {

/// What is done to a store; the bench is for the rules of values at rest, and for files that others
/// write.
using StoreStep = std::function<void(StoreBench &, SecretStore &)>;

/// A change that is interrupted at each of its system calls.
struct CrashChange {
    /// A step that needs no bench.
    using Simple = std::function<void(SecretStore &)>;
    enum class Kind {
        ordinary,
        reencryption, ///< may be half done; the next re-encryption does the rest, and keeps what
                      ///< libvirt encrypted
        keepsFile,    ///< the value file that was there is kept under a name for good
    };

    CrashChange(const char *named, StoreStep first, StoreStep then, Kind isOf = Kind::ordinary)
        : name(named),
          prepare(std::move(first)),
          change(std::move(then)),
          kind(isOf) {}
    CrashChange(const char *named, const Simple &first, const Simple &then)
        : CrashChange(
              named, [first](StoreBench &, SecretStore &store) { first(store); },
              [then](StoreBench &, SecretStore &store) { then(store); }) {}

    const char *name;
    StoreStep prepare;
    StoreStep change;
    Kind kind;
};

/// For the names of tests.
std::string nameOfChange(const testing::TestParamInfo<CrashChange> &info);

/// The tests of it are in crash_test.cpp; each file that includes this brings changes for them.
class CrashTest : public testing::TestWithParam<CrashChange> {
  protected:
    /// Finds the states before and after the change, and how many calls it makes.
    void learn();
    void prepare(StoreBench &bench, SecretStore &store);
    /// Whether the change was acknowledged.
    static bool change(StoreBench &bench, SecretStore &store);
    /// The change, in a process whose calls end after the first `calls` of it; whether it was
    /// acknowledged.
    bool endsAfter(std::size_t calls, StoreBench &bench);

    /// The disk as a process found it that came after the change.
    void expectClean(StoreBench &bench, const std::string &when);
    /// After an end of the process: what the next one finds.
    void expectOldOrNew(StoreBench &bench, bool isAcknowledged, const std::string &when);

    StoreState before_;
    StoreState after_;
    std::size_t calls_ = 0;

  private:
    void learnFiles(const StoreBench &bench);
    void expectNoOtherPlainFile(const StoreBench &bench, const std::string &when);
    /// How many values a re-encryption would find.
    static std::size_t needReencryptionIn(StoreBench &bench);
    void expectReencryptionEnds(StoreBench &bench, const std::string &when);

    std::set<std::string> plainFiles_;    ///< contents, before and after
    std::set<std::string> valueFiles_;    ///< contents after the last preparation
    std::set<std::string> unprovenFiles_; ///< of these, what libvirt encrypted
    std::vector<std::string> namesAfter_;
    std::size_t needReencryptionAfter_ = 0;
};

} // namespace keyhold
