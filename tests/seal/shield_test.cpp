// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/shield.h"

#include "conf/error.h"
#include "seal/plain_of.h"
#include "seal/process.h"

#include <array>
#include <atomic>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {

/// The driver's is in src/secret_driver/calls.cpp, which this test is without.
class ReleaseGate {
  public:
    static ReleaseToken grant(const Uuid &uuid) { return ReleaseToken(uuid); }
};

namespace {

using Bytes = std::vector<std::uint8_t>;

static_assert(!std::is_copy_constructible_v<ShieldedValue>);
static_assert(!std::is_copy_assignable_v<ShieldedValue>);
static_assert(std::is_nothrow_move_constructible_v<ShieldedValue>);

// Nothing else makes a token, keeps one, or opens a value into memory of a caller.
static_assert(!std::is_default_constructible_v<ReleaseToken>);
static_assert(!std::is_constructible_v<ReleaseToken, Uuid>);
static_assert(!std::is_copy_constructible_v<ReleaseToken>);
static_assert(!std::is_copy_assignable_v<ReleaseToken>);
template <typename Permission>
concept Releases = requires(const ShieldedValue &value, const Permission &permission, Bytes &out) {
    value.release(permission, out);
};
template <typename Room>
concept OpensInto = requires(const ShieldedValue &value, const Uuid &uuid, Room &room) {
    value.openInside(uuid, room);
};
static_assert(Releases<ReleaseToken> && !Releases<Uuid>);
static_assert(OpensInto<Scratch> && !OpensInto<Bytes> && !OpensInto<std::span<std::uint8_t>>);

Uuid uuidOf(std::uint8_t last) {
    std::array<std::uint8_t, Uuid::kSize> bytes{};
    bytes.back() = last;
    return Uuid(bytes);
}

const Uuid kUuid = uuidOf(1);
const Uuid kOther = uuidOf(2);

Bytes pattern(std::size_t size, std::uint8_t seed = 7) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 13 + seed);
    return bytes;
}

/// The code `call` raises; notFound if it does not.
template <typename Call>
ErrorCode codeOf(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error.code();
    }
    return ErrorCode::notFound;
}

TEST(ShieldedValueTest, OpensToWhatWasSealed) {
    for (std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 65536UL, 1048576UL}) {
        const ShieldedValue value = ShieldedValue::seal(kUuid, pattern(size));
        EXPECT_EQ(size, value.size());
        EXPECT_EQ(pattern(size), plainOf(value, kUuid));
        EXPECT_EQ(pattern(size), plainOf(value, kUuid)) << "a second time";
    }
}

TEST(ShieldedValueTest, ReleasesToTheTokenOfItsSecret) {
    const ShieldedValue value = ShieldedValue::seal(kUuid, pattern(40));
    Bytes out(40);
    value.release(ReleaseGate::grant(kUuid), out);
    EXPECT_EQ(pattern(40), out);
}

TEST(ShieldedValueTest, RefusesAnotherUuidAndLeavesNothing) {
    const ShieldedValue value = ShieldedValue::seal(kUuid, pattern(40));
    Bytes plain(40, 0xee);
    EXPECT_EQ(ErrorCode::internal,
              codeOf([&] { value.release(ReleaseGate::grant(kOther), plain); }));
    EXPECT_EQ(Bytes(40, 0), plain);
    EXPECT_EQ(ErrorCode::internal, codeOf([&] { (void)plainOf(value, kOther); }));
    EXPECT_EQ(ErrorCode::internal, codeOf([&] { (void)value.equals(kOther, pattern(40)); }));
    EXPECT_EQ(pattern(40), plainOf(value, kUuid));
}

TEST(ShieldedValueTest, RefusesRoomOfAnotherSize) {
    const ShieldedValue value = ShieldedValue::seal(kUuid, pattern(40));
    for (std::size_t size : {0UL, 39UL, 41UL}) {
        Bytes plain(size, 0xee);
        EXPECT_EQ(ErrorCode::internal,
                  codeOf([&] { value.release(ReleaseGate::grant(kUuid), plain); }));
        EXPECT_EQ(Bytes(size, 0), plain);
    }
}

TEST(ShieldedValueTest, MovesAndLeavesNothingToOpen) {
    ShieldedValue first = ShieldedValue::seal(kUuid, pattern(40));
    ShieldedValue second = std::move(first);
    EXPECT_EQ(pattern(40), plainOf(second, kUuid));
    Bytes plain(40);
    // NOLINTNEXTLINE(bugprone-use-after-move): shown to be harmless
    EXPECT_EQ(ErrorCode::internal,
              codeOf([&] { first.release(ReleaseGate::grant(kUuid), plain); }));
    first = ShieldedValue::seal(kUuid, pattern(3));
    second = std::move(first);
    EXPECT_EQ(pattern(3), plainOf(second, kUuid));
}

TEST(ShieldedValueTest, ComparesWithPlainValues) {
    const Bytes plain = pattern(40);
    const ShieldedValue value = ShieldedValue::seal(kUuid, plain);
    EXPECT_TRUE(value.equals(kUuid, plain));
    for (std::size_t place = 0; place < plain.size(); ++place) {
        Bytes other = plain;
        other[place] ^= 0x80;
        EXPECT_FALSE(value.equals(kUuid, other)) << place;
    }
    EXPECT_FALSE(value.equals(kUuid, pattern(39)));
    EXPECT_FALSE(value.equals(kUuid, pattern(41)));
    EXPECT_FALSE(value.equals(kUuid, {}));
    const ShieldedValue empty = ShieldedValue::seal(kUuid, {});
    EXPECT_TRUE(empty.equals(kUuid, {}));
    EXPECT_FALSE(empty.equals(kUuid, pattern(1)));
}

TEST(ShieldedValueTest, MayBeUsedByManyThreads) {
    const ShieldedValue shared = ShieldedValue::seal(kUuid, pattern(1000));
    std::atomic<int> faults{0};
    std::vector<std::thread> threads;
    for (std::uint8_t i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 200; ++round) {
                const ShieldedValue own = ShieldedValue::seal(kOther, pattern(50, i));
                faults += plainOf(own, kOther) == pattern(50, i) ? 0 : 1;
                faults += plainOf(shared, kUuid) == pattern(1000) ? 0 : 1;
                faults += shared.equals(kUuid, pattern(1000)) ? 0 : 1;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(0, faults);
}

TEST(ShieldedValueTest, AForkedChildRefusesAll) {
    const ShieldedValue value = ShieldedValue::seal(kUuid, pattern(40));
    EXPECT_EQ(
        0, inChild([&] {
            if (codeOf([] { (void)ShieldedValue::seal(kUuid, pattern(4)); }) != ErrorCode::internal)
                return 1;
            Bytes plain(40, 0xee);
            if (codeOf([&] { value.release(ReleaseGate::grant(kUuid), plain); }) !=
                ErrorCode::internal)
                return 2;
            if (plain != Bytes(40, 0))
                return 3;
            if (codeOf([&] { (void)value.equals(kUuid, pattern(40)); }) != ErrorCode::internal)
                return 4;
            return 0;
        }));
    EXPECT_EQ(pattern(40), plainOf(value, kUuid));
}

TEST(ShieldedValueTest, ErrorTextsDoNotCarryTheValue) {
    const Bytes plain = {'h', 'u', 'n', 't', 'e', 'r', '2'};
    const ShieldedValue value = ShieldedValue::seal(kUuid, plain);
    Bytes room(plain.size());
    try {
        value.release(ReleaseGate::grant(kOther), room);
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(std::string::npos, error.fullText().find("hunter2"));
    }
}

} // namespace
} // namespace keyhold
