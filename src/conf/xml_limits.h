// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace keyhold {

/// Counts of one document, by which a parser is kept from work that is out of proportion to the
/// size of what it reads. libxml2 2.9.14 compares each attribute of a tag, and each word of an
/// enumerated type or a content model, with those before it; its table of names stops growing; and
/// a DTD of a few bytes adds attributes to every element, or is read again and again. A <secret>
/// has three attributes and a dozen names, and needs no DTD.
class XmlLimits {
  public:
    /// Those written in start tags and declarations, with the words of types and content models;
    /// and, counted apart, those that elements have, with what a DTD adds and namespaces.
    static constexpr std::size_t kMaxAttributes = 256;
    /// Of attributes, elements and notations.
    static constexpr std::size_t kMaxDeclarations = 256;
    /// Different ones, in the dictionary of libxml2, which has very short texts too.
    static constexpr std::size_t kMaxNames = 20'000;
    static constexpr std::size_t kMaxEntityLookups = 100'000;
    /// Of parameter entities and of attributes that a DTD adds, each time they are taken.
    static constexpr std::size_t kMaxExpandedBytes = 10'000'000;

    /// Counts attributes and words that are written in a document, or in the text of an entity,
    /// before libxml2 sees it: it reads a tag as a whole. `text` is UTF-8. Returns where in it the
    /// limit is passed.
    [[nodiscard]] std::optional<std::size_t> passedIn(std::string_view text);
    /// The text of a parameter entity may be a part of a declaration as well.
    [[nodiscard]] bool passedInParameterEntity(std::string_view text);

    // Each adds to its count, and returns true once that is passed.
    [[nodiscard]] bool passedByDeclaration() { return ++declared_ > kMaxDeclarations; }
    [[nodiscard]] bool passedByElement(std::size_t attributes, std::size_t addedBytes) {
        given_ += attributes;
        return passedByExpansion(addedBytes) || given_ > kMaxAttributes;
    }
    [[nodiscard]] bool passedByLookup() { return ++lookups_ > kMaxEntityLookups; }
    [[nodiscard]] bool passedByExpansion(std::size_t bytes) {
        expanded_ += bytes;
        return expanded_ > kMaxExpandedBytes;
    }

  private:
    std::size_t written_ = 0;
    std::size_t declared_ = 0;
    std::size_t given_ = 0;
    std::size_t lookups_ = 0;
    std::size_t expanded_ = 0;
};

} // namespace keyhold
