// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/memory_report.h"

#include "conf/no_memory.h"
#include "host/host_fixture.h"
#include "seal/guarded_memory.h"
#include "seal/key_memory.h"
#include "seal/process.h"

#include <sys/resource.h>

namespace keyhold {
namespace {

bool has(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

bool forbidLocking() {
    const rlimit nothing{0, 0};
    return ::setrlimit(RLIMIT_MEMLOCK, &nothing) == 0 && becomeSomebody();
}

// What is reported is reported once in a process, so each test is a process, forked from one that
// has no key and no guarded memory yet: this program has no other tests.

TEST(MemoryReportTest, SaysNothingOfWhatIsNotUsed) {
    EXPECT_EQ(0, inChild([] {
                  if (!forbidLocking())
                      return 9;
                  LineLog log;
                  tellMemory(log);
                  return log.lines.empty() && !key_memory::report() ? 0 : 1;
              }));
}

TEST(MemoryReportTest, SaysNothingWhereAllIsAsItWasAskedFor) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(false);
                  const KeyBlock key(32);
                  const GuardedMemory plain(32);
                  LineLog log;
                  tellMemory(log);
                  const bool isAsAsked = key_memory::report()->kind == KeyMemoryKind::locked &&
                                         GuardedMemory::memoryIsLocked();
                  return log.lines.empty() == isAsAsked ? 0 : 1;
              }));
}

TEST(MemoryReportTest, SaysOnceThatMemoryIsNotLocked) {
    EXPECT_EQ(0, inChild([] {
                  if (!forbidLocking())
                      return 9;
                  key_memory::preferSecretmem(false);
                  const KeyBlock key(32);
                  const GuardedMemory plain(32);
                  LineLog log;
                  tellMemory(log);
                  if (!kMlockWorks)
                      return 0;
                  if (log.lines.size() != 1)
                      return 1;
                  const std::string text = log.lines[0];
                  if (!text.starts_with("warning: keys rest in unlocked memory: "))
                      return 2;
                  if (!has(text, "; plain values in use are not locked; they may be swapped out"))
                      return 3;
                  if (!has(text, "RLIMIT_MEMLOCK"))
                      return 4;
                  tellMemory(log);
                  return log.lines.size() == 1 ? 0 : 5;
              }));
}

TEST(MemoryReportTest, SaysLaterWhatItHadNoMemoryToSay) {
    EXPECT_EQ(0, inChild([] {
                  if (!forbidLocking())
                      return 9;
                  key_memory::preferSecretmem(false);
                  const KeyBlock key(32);
                  const GuardedMemory plain(32);
                  LineLog log;
                  {
                      const NoMemory none;
                      tellMemory(log);
                  }
                  if (!kMlockWorks)
                      return 0;
                  if (!log.lines.empty())
                      return 1;
                  tellMemory(log);
                  return log.lines.size() == 1 ? 0 : 2;
              }));
}

TEST(MemoryReportTest, SaysOfPlainValuesWhatItCouldNotSayWithTheKeys) {
    EXPECT_EQ(0, inChild([] {
                  if (!forbidLocking())
                      return 9;
                  key_memory::preferSecretmem(false);
                  const KeyBlock key(32);
                  LineLog log;
                  tellMemory(log);
                  const GuardedMemory plain(32);
                  tellMemory(log);
                  tellMemory(log);
                  if (!kMlockWorks)
                      return 0;
                  if (log.lines.size() != 2)
                      return 1;
                  if (!log.lines[0].starts_with("warning: keys rest in unlocked memory: ") ||
                      has(log.lines[0], "plain values"))
                      return 2;
                  return log.lines[1].starts_with(
                             "warning: plain values in use are not locked; they may be swapped out")
                             ? 0
                             : 3;
              }));
}

TEST(MemoryReportTest, SaysWhyKeysAreNotInSecretmem) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(true);
                  const KeyBlock key(32);
                  const auto report = key_memory::report().value();
                  LineLog log;
                  tellMemory(log);
                  if (report.reason.empty())
                      return log.lines.empty() ? 0 : 1;
                  return log.lines.size() == 1 && has(log.lines[0], report.reason) &&
                                 has(log.lines[0], keyMemoryKindName(report.kind))
                             ? 0
                             : 2;
              }));
}

} // namespace
} // namespace keyhold
