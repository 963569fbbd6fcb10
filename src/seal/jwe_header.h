// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace keyhold {

/// The protected header of the sealed format (docs/at-rest-format.md); internal to this room.
struct JweHeader {
    std::string keyId;
    Uuid uuid;
};

/// Bytes of the largest header that is read.
inline constexpr std::size_t kMaxJweHeaderSize = 2048;

/// The JSON text that is written: always the same members in the same order.
[[nodiscard]] std::string formatJweHeader(const JweHeader &header);

/// The base64url text of what formatJweHeader() writes under one key. Most headers are such, and to
/// compare one is less work than to decode and to read it.
class OwnJweHeader {
  public:
    explicit OwnJweHeader(std::string_view keyId);

    /// Whether `encoded` is that text for `uuid`.
    [[nodiscard]] bool isFor(const Uuid &uuid, std::string_view encoded) const;

  private:
    std::string start_;     ///< the same for every uuid: whole groups of four characters
    std::string_view rest_; ///< what comes between them and the uuid
};

/// Reads a flat JSON object whose members are all strings of printable ASCII without escapes, in
/// any order, with white space where JSON allows it. Members that are not known are ignored; those
/// that change how a JWE is to be read ("crit", "zip") are refused. Raises valueUnreadable with a
/// message that begins with a verb. JSON libraries let the last of two equal names win, which must
/// not be: hence a reader of our own for the little that is needed.
[[nodiscard]] JweHeader parseJweHeader(std::string_view json);

} // namespace keyhold
