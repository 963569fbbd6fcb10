// SPDX-License-Identifier: LGPL-2.1-or-later
#include "transcript.h"

#include "definition.h"

#include <cstdint>
#include <cstdio>

namespace keyhold {

namespace {

constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kLongestText = 2000;
constexpr std::size_t kShownOfLongText = 60;

void replaceAll(std::string &text, const std::string &what, const std::string &by) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
}

void escape(std::string &out, std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        switch (character) {
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        default:
            if (byte < 0x20 || byte >= 0x7f) {
                out += "\\x";
                out += kDigits[byte >> 4];
                out += kDigits[byte & 15];
            } else {
                out += character;
            }
        }
    }
}

// Fowler, Noll, Vo: FNV-1a, 64 bits.
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 0xcbf29ce484222325ULL;
    for (char character : text) {
        value ^= static_cast<unsigned char>(character);
        value *= 0x100000001b3ULL;
    }
    return value;
}

bool isWordCharacter(char character) {
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z');
}

} // namespace

std::string quote(std::string_view text) {
    std::string out = "\"";
    if (text.size() <= kLongestText) {
        escape(out, text);
        return out + '"';
    }
    escape(out, text.substr(0, kShownOfLongText));
    char tail[64];
    std::snprintf(tail, sizeof tail, "\"... (%zu bytes, %016llx)", text.size(),
                  static_cast<unsigned long long>(hash(text)));
    return out + tail;
}

bool isUuid(std::string_view text) {
    if (text.size() != kUuidLength)
        return false;
    for (std::size_t i = 0; i < text.size(); i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !digit)
            return false;
    }
    return true;
}

bool isSecretFileName(std::string_view name) {
    if (name.size() < kUuidLength || !isUuid(name.substr(0, kUuidLength)))
        return false;
    std::string_view suffix = name.substr(kUuidLength);
    return suffix == ".xml" || suffix == ".base64";
}

Transcript::Transcript(std::string root, std::string prefix)
    : root_(std::move(root)),
      prefix_(std::move(prefix)) {}

void Transcript::note(const std::string &key, const std::string &text) {
    std::string name = normalise(prefix_ + key);
    int use = ++uses_[name];
    if (use > 1)
        name += " #" + std::to_string(use);
    std::string line = name + ": " + normalise(text) + "\n";
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
}

std::string Transcript::normalise(std::string text) {
    replaceAll(text, root_ + ".scratch", "SCRATCH");
    replaceAll(text, root_, "ROOT");
    if (maskTemporaryNames_)
        maskNames(text);
    labelUuids(text);
    return text;
}

void Transcript::labelUuids(std::string &text) {
    for (std::size_t at = 0; at + kUuidLength <= text.size(); at++) {
        std::string candidate = text.substr(at, kUuidLength);
        bool escaped = at > 1 && text[at - 2] == '\\'; // the n of "\n" is no part of a word
        bool partOfWord = at > 0 && isWordCharacter(text[at - 1]) && !escaped;
        if (partOfWord || !isUuid(candidate))
            continue;
        if (!isChosenUuid(candidate)) {
            auto [label, added] = labels_.try_emplace(candidate);
            if (added)
                label->second = "<uuid " + std::to_string(labels_.size()) + ">";
            text.replace(at, kUuidLength, label->second);
            at += label->second.size() - 1;
        } else {
            at += kUuidLength - 1;
        }
    }
}

void Transcript::maskNames(std::string &text) {
    static constexpr std::string_view kDirectory = "ROOT/etc/secrets/";
    for (std::size_t at = text.find(kDirectory); at != std::string::npos;
         at = text.find(kDirectory, at + 1)) {
        std::size_t begin = at + kDirectory.size();
        std::size_t end = text.find_first_of("'\"", begin);
        if (end == std::string::npos)
            end = text.size();
        if (end > begin && !isSecretFileName(std::string_view(text).substr(begin, end - begin)))
            text.replace(begin, end - begin, "TEMP");
    }
}

} // namespace keyhold
