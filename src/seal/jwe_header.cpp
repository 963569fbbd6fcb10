// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe_header.h"

#include "conf/bytes.h"
#include "seal/base64.h"
#include "seal/value_error.h"

#include <algorithm>
#include <array>
#include <map>

namespace keyhold {
namespace {

constexpr std::string_view kUuidMember = "org.keyhold.uuid";
constexpr std::size_t kMaxKeyIdLength = 128;

// The text that is written, around key id and uuid.
constexpr std::string_view kStart = R"({"alg":"dir","enc":"A256GCM","kid":")";
constexpr std::string_view kMiddle = R"(","org.keyhold.uuid":")";
constexpr std::string_view kEnd = R"("})";

[[noreturn]] void damaged(SourcePlace place = SourcePlace::current()) {
    throw unreadable("is damaged: its protected header is not a JSON object of plain strings", {},
                     place);
}

/// Takes tokens from the front of a JSON text.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    /// Takes `c` after white space; false if something else is there.
    bool take(char c) {
        const std::size_t start = text_.find_first_not_of(" \t\r\n");
        if (start == std::string_view::npos || text_[start] != c)
            return false;
        text_.remove_prefix(start + 1);
        return true;
    }

    void require(char c) {
        if (!take(c))
            damaged();
    }

    std::string_view string() {
        require('"');
        std::size_t size = 0;
        while (size < text_.size() && text_[size] != '"') {
            if (text_[size] < ' ' || text_[size] > '~' || text_[size] == '\\')
                damaged();
            ++size;
        }
        const std::string_view content = text_.substr(0, size);
        text_.remove_prefix(size);
        require('"');
        return content;
    }

    [[nodiscard]] bool isAtEnd() const {
        return text_.find_first_not_of(" \t\r\n") == std::string_view::npos;
    }

  private:
    std::string_view text_;
};

using Members = std::map<std::string_view, std::string_view>;

Members parseObject(std::string_view json) {
    Members members;
    Reader reader(json);
    reader.require('{');
    if (!reader.take('}')) {
        do {
            const std::string_view name = reader.string();
            if (name == "crit" || name == "zip")
                throw unreadable("uses the JWE header " + inQuotes(name) +
                                 ", which is not supported");
            reader.require(':');
            if (!members.emplace(name, reader.string()).second)
                throw unreadable("is damaged: its protected header has " + inQuotes(name) +
                                 " twice");
        } while (reader.take(','));
        reader.require('}');
    }
    if (!reader.isAtEnd())
        damaged();
    return members;
}

std::string_view required(const Members &members, std::string_view name) {
    const auto found = members.find(name);
    if (found == members.end())
        throw unreadable("has no " + inQuotes(name) + " in its protected header");
    return found->second;
}

void requireWord(const Members &members, std::string_view name, std::string_view word) {
    if (required(members, name) != word)
        throw unreadable("is not sealed with \"" + std::string(name) + "\":\"" + std::string(word) +
                         "\", the only one supported");
}

} // namespace

std::string formatJweHeader(const JweHeader &header) {
    std::string json;
    json.append(kStart).append(header.keyId).append(kMiddle);
    return json.append(header.uuid.toString()).append(kEnd);
}

OwnJweHeader::OwnJweHeader(std::string_view keyId) {
    std::string json;
    json.append(kStart).append(keyId).append(kMiddle);
    const std::size_t split = json.size() % 3;
    rest_ = kMiddle.substr(kMiddle.size() - split);
    json.resize(json.size() - split);
    start_.resize(base64UrlSize(json.size()) + 1);
    encodeBase64Url(bytesOf(json), start_);
    start_.pop_back();
}

bool OwnJweHeader::isFor(const Uuid &uuid, std::string_view encoded) const {
    std::array<char, 2 + Uuid::kTextLength + kEnd.size()> wanted;
    const std::span text = std::span(wanted).first(rest_.size() + Uuid::kTextLength + kEnd.size());
    std::ranges::copy(rest_, text.begin());
    uuid.writeTo(text.subspan(rest_.size()).first<Uuid::kTextLength>());
    std::ranges::copy(kEnd, text.last<kEnd.size()>().begin());

    std::array<std::uint8_t, wanted.size()> bytes;
    return encoded.starts_with(start_) &&
           decodeBase64Url(encoded.substr(start_.size()), bytes) == text.size() &&
           std::equal(text.begin(), text.end(), bytes.begin());
}

JweHeader parseJweHeader(std::string_view json) {
    const Members members = parseObject(json);
    requireWord(members, "alg", "dir");
    requireWord(members, "enc", "A256GCM");
    const std::string_view keyId = required(members, "kid");
    if (keyId.empty() || keyId.size() > kMaxKeyIdLength)
        throw unreadable("is damaged: its key id is empty or too long");
    const auto uuid = Uuid::parseCanonical(required(members, kUuidMember));
    if (!uuid)
        throw unreadable("is damaged: " + inQuotes(kUuidMember) + " is not a canonical uuid");
    return {std::string(keyId), *uuid};
}

} // namespace keyhold
