// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/key_memory.h"

#include "conf/error.h"
#include "seal/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

namespace keyhold {
namespace {

// What the memory is made of is decided once in a process, so each test is a process, forked from
// one that has no key yet: this program has no other tests.

bool kernelHasSecretmem() {
#ifdef SYS_memfd_secret
    const long descriptor = ::syscall(SYS_memfd_secret, O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ::close(static_cast<int>(descriptor));
    return true;
#else
    return false;
#endif
}

void fill(std::span<std::uint8_t> bytes) {
    std::fill(bytes.begin(), bytes.end(), 0x5a);
}

bool readableBySystemCall(std::span<const std::uint8_t> bytes) {
    std::array<std::uint8_t, 16> copy{};
    iovec to{copy.data(), copy.size()};
    iovec from{const_cast<std::uint8_t *>(bytes.data()), copy.size()};
    return ::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) == 16;
}

bool readableThroughProc(std::span<const std::uint8_t> bytes) {
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    std::array<std::uint8_t, 16> copy{};
    const ssize_t got = ::pread(memory, copy.data(), copy.size(),
                                static_cast<off_t>(reinterpret_cast<std::uintptr_t>(bytes.data())));
    ::close(memory);
    return got == 16;
}

TEST(KeyMemoryTest, SecretmemIsOutOfReachOfTheKernelsOwnReaders) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(true);
                  KeyBlock block(32);
                  fill(block.bytes());
                  const auto report = key_memory::report().value();
                  if (!kernelHasSecretmem()) // then the reason is reported
                      return report.kind != KeyMemoryKind::secretmem && !report.reason.empty() ? 0
                                                                                               : 1;
                  if (report.kind != KeyMemoryKind::secretmem || !report.reason.empty())
                      return 2;
                  if (readableBySystemCall(block.bytes()))
                      return 3;
                  if (readableThroughProc(block.bytes()))
                      return 4;
                  if (!memoryFlags(block.bytes().data()).contains("dd"))
                      return 5;
                  return block.bytes()[31] == 0x5a ? 0 : 6;
              }));
}

TEST(KeyMemoryTest, LockedMemoryIsPrivateAndLeftOutOfCoreDumps) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(false);
                  KeyBlock block(32);
                  fill(block.bytes());
                  const auto report = key_memory::report().value();
                  if (!report.reason.empty() || report.kind != KeyMemoryKind::locked)
                      return 1;
                  if (!readableBySystemCall(block.bytes())) // or the test above shows nothing
                      return 2;
                  if (!readableThroughProc(block.bytes()))
                      return 3;
                  const auto flags = memoryFlags(block.bytes().data());
                  if (!flags.contains("dd") || !flags.contains("dc"))
                      return 4;
                  return !kMlockWorks || flags.contains("lo") ? 0 : 5;
              }));
}

int withoutLimit(bool secretmem) {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0)
        return 2;
    // Limits do not bind root.
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0)
        return 3;
    key_memory::preferSecretmem(secretmem);
    KeyBlock block(32);
    fill(block.bytes());
    const auto report = key_memory::report().value();
    if (kMlockWorks && report.kind != KeyMemoryKind::unlocked)
        return 4;
    if (kMlockWorks && report.reason.find("RLIMIT_MEMLOCK") == std::string::npos)
        return 5;
    if (secretmem && report.reason.find("memfd_secret") == std::string::npos)
        return 6;
    return block.bytes()[31] == 0x5a ? 0 : 7;
}

TEST(KeyMemoryTest, WhereNothingMayBeLockedItWorksAndSaysSo) {
    EXPECT_EQ(0, inChild([] { return withoutLimit(true); }));
    EXPECT_EQ(0, inChild([] { return withoutLimit(false); }));
}

TEST(KeyMemoryTest, AKeyGetsTheKindThatIsWantedWhenItComes) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(false);
                  KeyBlock first(32);
                  key_memory::preferSecretmem(true);
                  if (key_memory::report()->kind != KeyMemoryKind::locked)
                      return 1;
                  KeyBlock second(32);
                  const bool isSecret = key_memory::report()->kind == KeyMemoryKind::secretmem;
                  if (isSecret != kernelHasSecretmem())
                      return 2;
                  if (!readableBySystemCall(first.bytes()) ||
                      readableBySystemCall(second.bytes()) == isSecret)
                      return 3;
                  key_memory::preferSecretmem(false);
                  KeyBlock third(32);
                  return readableBySystemCall(third.bytes()) ? 0 : 4;
              }));
}

TEST(KeyMemoryTest, BeforeTheFirstKeyThereIsNoneToReportAndNoneIsTaken) {
    EXPECT_EQ(0, inChild([] {
                  key_memory::preferSecretmem(true);
                  if (key_memory::report())
                      return 1;
                  std::ifstream maps("/proc/self/maps");
                  for (std::string line; std::getline(maps, line);)
                      if (line.find("secretmem") != std::string::npos)
                          return 2;
                  const KeyBlock block(32);
                  return key_memory::report() ? 0 : 3;
              }));
}

TEST(KeyMemoryTest, AForkedChildHasNothingOfIt) {
    for (const bool secretmem : {true, false})
        EXPECT_EQ(0, inChild([&] {
                      key_memory::preferSecretmem(secretmem);
                      KeyBlock block(32);
                      fill(block.bytes());
                      if (!key_memory::isOurs())
                          return 1;
                      const int status = inChild([&] {
                          if (key_memory::isOurs())
                              return 2;
                          if (!memoryFlags(block.bytes().data()).empty())
                              return 3;
                          try {
                              const KeyBlock another(32);
                              return 4;
                          } catch (const Error &error) {
                              if (error.code() != ErrorCode::internal)
                                  return 5;
                          }
                          const KeyBlock released = std::move(block);
                          return 0;
                      });
                      if (status != 0)
                          return status;
                      return block.bytes()[0] == 0x5a ? 0 : 6;
                  }));
}

TEST(KeyMemoryTest, AChildForkedBeforeTheFirstKeyMayHaveItsOwn) {
    EXPECT_EQ(0, inChild([] {
                  if (!key_memory::isOurs())
                      return 1;
                  KeyBlock block(32);
                  fill(block.bytes());
                  return key_memory::isOurs() ? 0 : 2;
              }));
}

TEST(KeyMemoryTest, TheFarPagesFault) {
    for (const bool secretmem : {true, false}) {
        const auto touched = [&](std::ptrdiff_t offset) {
            return inChild([&] {
                key_memory::preferSecretmem(secretmem);
                KeyBlock block(64); // the first of a mapping of 16 KiB
                const_cast<volatile std::uint8_t &>(*(block.bytes().data() + offset)) = 1;
                return 0;
            });
        };
        EXPECT_EQ(0, touched(16383));
        EXPECT_NE(0, touched(-1));
        EXPECT_NE(0, touched(16384));
    }
}

} // namespace
} // namespace keyhold
