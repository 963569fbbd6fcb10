// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"

#include <optional>
#include <string_view>

namespace keyhold {

/// Reads a document that is, byte for byte, what formatSecretXml() writes; that is what a store is
/// full of, and takes libxml2 many times as long. Empty for every other document, good or bad,
/// and for one with a character outside of ASCII or of more than 64 KiB: those are libxml2's. Where
/// there is an answer, it is the one that libxml2 leads to.
[[nodiscard]] std::optional<SecretDefinition> parseCanonicalXml(std::string_view xml);

} // namespace keyhold
