// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/sealing_policy.h"

#include "seal/aes256cbc.h"
#include "seal/base64.h"
#include "seal/golden.h"
#include "seal/jwe.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

TEST(SealingPolicyTest, EveryFormatIsListed) {
    for (std::size_t i = 0; i < kValueFormats.size(); ++i)
        EXPECT_EQ(kValueFormats[i], static_cast<ValueFormat>(i));
    EXPECT_EQ(valueFormatName(static_cast<ValueFormat>(kValueFormats.size())), "");
}

// A text of the largest value in each form, as it is written, and what may be around it.
TEST(SealingPolicyTest, TheLargestTextsHoldTheLargestValue) {
    EXPECT_GE(maxTextSize(ValueFormat::plain), plainTextSize(kMaxValueSize));
    EXPECT_GE(maxTextSize(ValueFormat::aes256cbc), plainTextSize(aes256CbcSize(kMaxValueSize)));
    const std::string one = sealJwe(*golden::keyring().current(), golden::uuid(), bytesOf("v"));
    EXPECT_GE(maxTextSize(ValueFormat::jwe), one.size() + kMaxValueSize / 3 * 4 + 4);
}

TEST(SealingPolicyTest, TheLargestTextsHoldLineEndsAndLittleElse) {
    const std::size_t text = plainTextSize(kMaxValueSize);
    EXPECT_GE(maxTextSize(ValueFormat::plain), text + text / 64 * 2);
    for (const ValueFormat form : kValueFormats)
        EXPECT_LE(maxTextSize(form), text + text / 8) << valueFormatName(form);
}

TEST(SealingPolicyTest, TheSizeOfWhatLibvirtWritesIsKnown) {
    Bytes bytes(golden::read("stock.aes256cbc").size());
    for (const auto &[name, size] : {std::pair("stock.aes256cbc", golden::read("value").size()),
                                     std::pair("stock-16.aes256cbc", std::size_t{16})})
        EXPECT_EQ(decodePlain(golden::read(name), bytes), aes256CbcSize(size)) << name;
}

} // namespace
} // namespace keyhold
