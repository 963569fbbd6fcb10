// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace keyhold {

namespace {

constexpr std::size_t kMaxSize = std::size_t{64} * 1024;

/// What is not written as it is.
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
        while (!raw.empty()) {
            std::size_t plain = 0;
            while (plain < raw.size() && isPlain(raw[plain]))
                ++plain;
            text.append(raw, 0, plain);
            raw.remove_prefix(plain);
            if (!raw.empty() && !takeEscape(raw, text))
                return false;
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

void appendEscaped(std::string &xml, std::string_view text) {
    for (const char c : text) {
        const Escape *const escape =
            isPlain(c) ? std::end(kEscapes) : std::ranges::find(kEscapes, c, &Escape::character);
        if (escape == std::end(kEscapes))
            xml += c;
        else
            xml += escape->text;
    }
}

void appendElement(std::string &xml, std::string_view indent, std::string_view name,
                   std::string_view text) {
    xml.append(indent).append("<").append(name).append(">");
    appendEscaped(xml, text);
    xml.append("</").append(name).append(">\n");
}

const char *yesNo(bool value) {
    return value ? "yes" : "no";
}

} // namespace

std::optional<SecretDefinition> parseCanonicalXml(std::string_view xml) {
    std::optional<SecretDefinition> secret(std::in_place);
    Reader reader(xml);
    if (xml.size() > kMaxSize || !takeSecret(reader, *secret))
        secret.reset();
    return secret;
}

std::string formatSecretXml(const SecretDefinition &definition) {
    std::string xml;
    xml.reserve(256 + definition.description.size() + definition.usage.id.size());
    xml.append("<secret ephemeral='").append(yesNo(definition.isEphemeral));
    xml.append("' private='").append(yesNo(definition.isPrivate)).append("'>\n");
    appendElement(xml, "  ", "uuid", definition.uuid.toString());
    if (!definition.description.empty())
        appendElement(xml, "  ", "description", definition.description);
    if (definition.usage.type != UsageType::none) {
        const UsageWords words = usageWords(definition.usage.type);
        xml.append("  <usage type='").append(words.type).append("'>\n");
        appendElement(xml, "    ", words.element, definition.usage.id);
        xml += "  </usage>\n";
    }
    xml += "</secret>\n";
    return xml;
}

} // namespace keyhold
