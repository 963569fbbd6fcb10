// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe_header.h"

#include "seal/base64.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

std::string encoded(const std::string &json) {
    std::string text(base64UrlSize(json.size()) + 1, '\0');
    encodeBase64Url({reinterpret_cast<const std::uint8_t *>(json.data()), json.size()}, text);
    text.pop_back();
    return text;
}

/// Ids of three lengths, so that the uuid begins at each place of a group of base64.
const std::array kKeyIds = {std::string(41, 'k'), std::string(42, 'k'), std::string(43, 'k')};

TEST(OwnJweHeaderTest, KnowsWhatIsWrittenUnderItsKey) {
    for (const std::string &id : kKeyIds) {
        const OwnJweHeader own(id);
        for (int i = 0; i < 100; ++i) {
            const Uuid uuid = Uuid::generate();
            EXPECT_TRUE(own.isFor(uuid, encoded(formatJweHeader({id, uuid}))));
        }
    }
}

TEST(OwnJweHeaderTest, AnyOtherTextIsNone) {
    for (const std::string &id : kKeyIds) {
        const OwnJweHeader own(id);
        const Uuid uuid = Uuid::generate();
        const std::string json = formatJweHeader({id, uuid});
        EXPECT_FALSE(own.isFor(Uuid::generate(), encoded(json)));
        EXPECT_FALSE(own.isFor(uuid, encoded(formatJweHeader({id + 'k', uuid}))));
        EXPECT_FALSE(own.isFor(uuid, encoded(formatJweHeader({id.substr(1), uuid}))));
        for (std::size_t at = 0; at < json.size(); ++at) {
            std::string other = json;
            other[at] ^= 1;
            EXPECT_FALSE(own.isFor(uuid, encoded(other))) << at;
            EXPECT_FALSE(own.isFor(uuid, encoded(json.substr(0, at)))) << at;
            other = json;
            other.insert(at, 1, json[at]);
            EXPECT_FALSE(own.isFor(uuid, encoded(other))) << at;
            other.erase(at, 2);
            EXPECT_FALSE(own.isFor(uuid, encoded(other))) << at;
        }
        EXPECT_FALSE(own.isFor(uuid, encoded(json + ' ')));
        EXPECT_FALSE(own.isFor(uuid, encoded(json) + "A"));
        EXPECT_FALSE(own.isFor(uuid, ""));
    }
}

} // namespace
} // namespace keyhold
