// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/crash_fixture.h"

#include <algorithm>

namespace keyhold {

namespace {

bool isPlain(const std::string &name) {
    return name.find(".base64") != std::string::npos;
}

bool holdsValue(const std::string &name) {
    const auto parsed = layout::parseFileName(name);
    return parsed && parsed->form && parsed->stage == layout::Stage::current;
}

} // namespace

std::string nameOfChange(const testing::TestParamInfo<CrashChange> &info) {
    return info.param.name;
}

void CrashTest::learn() {
    StoreBench before;
    prepare(before, *before.start());
    // A power cut may bring back a file that was removed.
    const auto isOfPlainFile = [](const std::string &call) { return isPlain(call); };
    if (std::ranges::any_of(before.disk.trace(), isOfPlainFile))
        plainFiles_.insert(base64("old value"));
    before.disk.crashKill();
    before_ = before.stateAfterStart();
    learnFiles(before);

    StoreBench after;
    auto store = after.start();
    prepare(after, *store);
    after.disk.clearTrace();
    ASSERT_TRUE(change(after, *store));
    calls_ = after.disk.callCount();
    ASSERT_GT(calls_, 0U) << "the change makes no system call";
    after.disk.crashKill();
    after_ = after.stateAfterStart();
    namesAfter_ = after.names();
    needReencryptionAfter_ = needReencryptionIn(after);
    learnFiles(after);
}

void CrashTest::learnFiles(const StoreBench &bench) {
    for (const std::string &name : bench.names()) {
        if (isPlain(name))
            plainFiles_.insert(*bench.content(name));
    }
}

void CrashTest::prepare(StoreBench &bench, SecretStore &store) {
    GetParam().prepare(bench, store);
    valueFiles_.clear(); // sealed ones are never the same twice
    for (const std::string &name : bench.names()) {
        if (holdsValue(name))
            valueFiles_.insert(*bench.content(name));
        if (name.ends_with(".aes256cbc"))
            unprovenFiles_.insert(*bench.content(name));
    }
}

bool CrashTest::change(StoreBench &bench, SecretStore &store) {
    try {
        GetParam().change(bench, store);
        return true;
    } catch (const Error &) {
        return false;
    }
}

bool CrashTest::endsAfter(std::size_t calls, StoreBench &bench) {
    const auto store = bench.start();
    prepare(bench, *store);
    bench.disk.dieAfter(calls);
    return change(bench, *store);
}

void CrashTest::expectNoOtherPlainFile(const StoreBench &bench, const std::string &when) {
    const std::set<std::string> texts = {base64("old value"), base64("new value")};
    for (const std::string &name : bench.names()) {
        if (!isPlain(name))
            continue;
        const std::string content = *bench.content(name);
        EXPECT_FALSE(plainFiles_.empty()) << when << ": " << name;
        EXPECT_TRUE(plainFiles_.contains(content) || !texts.contains(content))
            << when << ": " << name << ": " << content;
    }
}

void CrashTest::expectClean(StoreBench &bench, const std::string &when) {
    const bool keepsFile = GetParam().kind == CrashChange::Kind::keepsFile;
    const auto names = bench.names();
    std::set<std::string> contents;
    for (const std::string &name : names) {
        contents.insert(*bench.content(name));
        EXPECT_EQ(name.find("keyhold"), std::string::npos) << when << ": " << name;
        if (!keepsFile && name.find(".aside-") != std::string::npos) {
            EXPECT_TRUE(GetParam().kind == CrashChange::Kind::reencryption &&
                        unprovenFiles_.contains(*bench.content(name)))
                << when << ": " << name;
        }
        // Values go and come with their definitions.
        if (holdsValue(name)) {
            EXPECT_NE(std::ranges::find(names, name.substr(0, Uuid::kTextLength) + ".xml"),
                      names.end())
                << when << ": " << name;
        }
    }
    if (keepsFile) {
        EXPECT_TRUE(std::ranges::includes(contents, valueFiles_)) << when;
    }
    if (GetParam().kind == CrashChange::Kind::reencryption) {
        EXPECT_TRUE(std::ranges::includes(contents, unprovenFiles_)) << when;
    }
    expectNoOtherPlainFile(bench, when);
}

void CrashTest::expectOldOrNew(StoreBench &bench, bool isAcknowledged, const std::string &when) {
    expectNoOtherPlainFile(bench, when);
    const StoreState found = bench.stateAfterStart();
    if (isAcknowledged) {
        EXPECT_EQ(found, after_) << when;
    } else {
        EXPECT_TRUE(found == before_ || found == after_)
            << when << ": " << testing::PrintToString(found);
    }
    expectClean(bench, when);
    if (isAcknowledged) {
        EXPECT_EQ(bench.names(), namesAfter_) << when;
        EXPECT_EQ(needReencryptionIn(bench), needReencryptionAfter_) << when;
    }
    if (GetParam().kind == CrashChange::Kind::reencryption)
        expectReencryptionEnds(bench, when);
}

std::size_t CrashTest::needReencryptionIn(StoreBench &bench) {
    const auto barrier = bench.openBarrier();
    for (const ListedSecret &secret : barrier->backend().list(Strays::told))
        static_cast<void>(barrier->read(secret));
    return barrier->reencryptable().size();
}

void CrashTest::expectReencryptionEnds(StoreBench &bench, const std::string &when) {
    bench.start()->reencrypt([] { return false; });
    EXPECT_EQ(needReencryptionIn(bench), 0U) << when;
    EXPECT_EQ(bench.names(), namesAfter_) << when;
    bench.disk.crashKill();
    EXPECT_EQ(bench.stateAfterStart(), after_) << when;
}

} // namespace keyhold
