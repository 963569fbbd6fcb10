// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/cipher_residue.h"

#include "conf/sodium.h"
#include "seal/traces.h"

#include <array>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using Secret = std::array<std::uint8_t, std::tuple_size_v<VectorRegisters>>;

[[gnu::noinline]] void leaveHere(const Secret &secret) {
    Secret copy = secret;
    asm volatile("" : : "r"(copy.data()) : "memory");
#ifdef __x86_64__
#define EVERY_REGISTER ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
    if (__builtin_cpu_supports("avx"))
        asm volatile(EVERY_REGISTER "vmovdqu 32*\\n(%0), %%ymm\\n\n\t.endr" : : "r"(secret.data()));
    else
        asm volatile(EVERY_REGISTER "movdqu 32*\\n(%0), %%xmm\\n\n\t.endr" : : "r"(secret.data()));
#undef EVERY_REGISTER
    if (__builtin_cpu_supports("avx512vl"))
        asm volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
                     "vmovdqu64 32*\\n(%0), %%ymm\\n\n\t.endr"
                     :
                     : "r"(secret.data()));
#endif
}

/// Leaves `secret` on the stack, as deep as ciphers do, and in the vector registers.
[[gnu::noinline]] void leave(const Secret &secret) {
    std::array<std::uint8_t, 256> frame;
    asm volatile("" : : "r"(frame.data()) : "memory");
    leaveHere(secret);
    asm volatile("" : : "r"(frame.data()) : "memory");
}

class ResidueTest : public ::testing::Test {
  protected:
    ResidueTest() { fillRandom(secret_); }

    Secret secret_;
};

TEST_F(ResidueTest, AreWiped) {
    const Bytes found = stackAfter([&] {
        leave(secret_);
        wipeResidue(4096);
    });
    EXPECT_EQ(0U, tracesIn(found, secret_));
}

TEST_F(ResidueTest, AreFoundIfTheyAreNotWiped) {
    const Bytes found = stackAfter([&] { leave(secret_); });
    const std::span<const std::uint8_t> all = found;
    const std::size_t registers = std::tuple_size_v<VectorRegisters>;
    EXPECT_NE(0U, tracesIn(all.first(all.size() - registers), secret_));
#ifdef __x86_64__
    EXPECT_NE(0U, tracesIn(all.last(registers).first(registers / 2), secret_));
    if (__builtin_cpu_supports("avx512vl")) {
        EXPECT_NE(0U, tracesIn(all.last(registers / 2), secret_));
    }
#endif
}

} // namespace
} // namespace keyhold
