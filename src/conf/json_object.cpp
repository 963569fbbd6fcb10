// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/json_object.h"

#include <glib.h>

#include <cstdio>

namespace keyhold {

namespace {

std::string quoted(std::string_view value) {
    std::string valid;
    while (!value.empty()) {
        const char *end = nullptr;
        if (g_utf8_validate_len(value.data(), value.size(), &end) != 0) {
            valid += value;
            break;
        }
        valid.append(value.data(), end);
        valid += "\uFFFD";
        value.remove_prefix(static_cast<std::size_t>(end - value.data()) + 1);
    }
    std::string text = "\"";
    for (const char each : valid) {
        if (each == '"' || each == '\\') {
            text += '\\';
            text += each;
        } else if (static_cast<unsigned char>(each) < ' ') {
            char escaped[sizeof "\\u0000"];
            static_cast<void>(
                std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(each)));
            text += escaped;
        } else {
            text += each;
        }
    }
    return text + '"';
}

} // namespace

void JsonObject::add(std::string_view name, std::string_view value) {
    addRaw(name, quoted(value));
}

void JsonObject::add(std::string_view name, std::span<const std::string> values) {
    std::string list;
    for (const std::string &value : values)
        list += (list.empty() ? "" : ",") + quoted(value);
    addRaw(name, "[" + list + "]");
}

void JsonObject::addRaw(std::string_view name, std::string_view json) {
    if (!members_.empty())
        members_ += ',';
    members_ += quoted(name) + ":";
    members_ += json;
}

} // namespace keyhold
