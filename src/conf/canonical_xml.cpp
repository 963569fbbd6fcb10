// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/canonical_xml.h"

#include <cstddef>
#include <string>

namespace keyhold {

namespace {

constexpr std::size_t kMaxSize = std::size_t{64} * 1024;

/// What the characters & < > ' " and carriage return are written as.
struct Escape {
    std::string_view text;
    char character;
};
constexpr Escape kEscapes[] = {{"&amp;", '&'},   {"&lt;", '<'},   {"&gt;", '>'},
                               {"&apos;", '\''}, {"&quot;", '"'}, {"&#13;", '\r'}};

/// Characters that stand for themselves. A formatter escapes quotes and '>' though XML would take
/// them as they are.
constexpr bool isPlain(char c) {
    return (c >= ' ' && c <= '~' && c != '&' && c != '<' && c != '>' && c != '\'' && c != '"') ||
           c == '\t' || c == '\n';
}

/// Takes pieces from the front of a document.
class Reader {
  public:
    explicit Reader(std::string_view rest) : rest_(rest) {}

    bool take(std::string_view piece) {
        if (!rest_.starts_with(piece))
            return false;
        rest_.remove_prefix(piece.size());
        return true;
    }

    bool takeYesNo(bool &value) {
        value = take("yes");
        return value || take("no");
    }

    bool takeUuid(Uuid &uuid) {
        const auto parsed = Uuid::parseCanonical(rest_.substr(0, Uuid::kTextLength));
        if (!parsed)
            return false;
        uuid = *parsed;
        rest_.remove_prefix(Uuid::kTextLength);
        return true;
    }

    bool takeUsageType(UsageType &type) {
        const auto known = usageTypeFromName(rest_.substr(0, rest_.find('\'')));
        if (!known || *known == UsageType::none)
            return false;
        type = *known;
        return take(usageWords(type).type);
    }

    /// Takes what is before the next tag; a text that is empty is none.
    bool takeText(std::string &text) {
        const std::string_view raw = rest_.substr(0, rest_.find('<'));
        rest_.remove_prefix(raw.size());
        return !raw.empty() && unescape(raw, text);
    }

    [[nodiscard]] bool isAtEnd() const { return rest_.empty(); }

  private:
    static bool unescape(std::string_view raw, std::string &text) {
        std::size_t plain = 0;
        while (plain < raw.size() && isPlain(raw[plain]))
            ++plain;
        text.assign(raw, 0, plain);
        raw.remove_prefix(plain);
        while (!raw.empty()) {
            if (isPlain(raw.front())) {
                text += raw.front();
                raw.remove_prefix(1);
            } else if (!takeEscape(raw, text)) {
                return false;
            }
        }
        return true;
    }

    static bool takeEscape(std::string_view &raw, std::string &text) {
        for (const Escape &escape : kEscapes) {
            if (raw.starts_with(escape.text)) {
                text += escape.character;
                raw.remove_prefix(escape.text.size());
                return true;
            }
        }
        return false;
    }

    std::string_view rest_;
};

bool takeUsage(Reader &reader, Usage &usage) {
    if (!reader.takeUsageType(usage.type) || !reader.take("'>\n    <"))
        return false;
    const std::string_view element = usageWords(usage.type).element;
    return reader.take(element) && reader.take(">") && reader.takeText(usage.id) &&
           reader.take("</") && reader.take(element) && reader.take(">\n  </usage>\n");
}

bool takeSecret(Reader &reader, SecretDefinition &secret) {
    if (!reader.take("<secret ephemeral='") || !reader.takeYesNo(secret.isEphemeral) ||
        !reader.take("' private='") || !reader.takeYesNo(secret.isPrivate) ||
        !reader.take("'>\n  <uuid>") || !reader.takeUuid(secret.uuid) || !reader.take("</uuid>\n"))
        return false;
    if (reader.take("  <description>") &&
        !(reader.takeText(secret.description) && reader.take("</description>\n")))
        return false;
    if (reader.take("  <usage type='") && !takeUsage(reader, secret.usage))
        return false;
    return reader.take("</secret>\n") && reader.isAtEnd();
}

} // namespace

std::optional<SecretDefinition> parseCanonicalXml(std::string_view xml) {
    std::optional<SecretDefinition> secret(std::in_place);
    Reader reader(xml);
    if (xml.size() > kMaxSize || !takeSecret(reader, *secret))
        secret.reset();
    return secret;
}

} // namespace keyhold
