// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace keyhold {

/// The text of a JSON object (RFC 8259), made member by member. A library would be one more that
/// libvirtd maps, for one small file.
class JsonObject {
  public:
    /// Bytes that are no UTF-8, as names of files may have, become U+FFFD each.
    void add(std::string_view name, std::string_view value);
    void add(std::string_view name, const char *value) { add(name, std::string_view(value)); }
    void add(std::string_view name, bool value) { addRaw(name, value ? "true" : "false"); }
    void add(std::string_view name, std::integral auto value) {
        addRaw(name, std::to_string(value));
    }
    void add(std::string_view name, const JsonObject &value) { addRaw(name, value.text()); }
    void add(std::string_view name, std::span<const std::string> values);
    void addNull(std::string_view name) { addRaw(name, "null"); }

    [[nodiscard]] std::string text() const { return "{" + members_ + "}"; }

  private:
    void addRaw(std::string_view name, std::string_view json);

    std::string members_;
};

} // namespace keyhold
