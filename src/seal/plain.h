// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold {

/// The unencrypted at-rest format, `<uuid>.base64`: RFC 4648 section 4, padded, one line, no
/// newline.

/// Bytes that the text of a value of `valueSize` bytes takes.
[[nodiscard]] std::size_t plainTextSize(std::size_t valueSize) noexcept;

/// Writes exactly plainTextSize(value.size()) bytes to the front of `text`, in constant time
/// with respect to the value. Raises internal if `text` is too small. The text is as secret as the
/// value.
void encodePlain(std::span<const std::uint8_t> value, std::span<std::uint8_t> text);

enum class PlainForm {
    value,   ///< decoded
    blank,   ///< empty, or white space only: no value
    damaged, ///< not canonical base64: foreign characters, missing padding, text after it
};

struct PlainDecoded {
    PlainForm form;
    std::size_t size; ///< bytes written to the front of `value`; 0 unless form is value
};

/// Decodes `text`, in which blanks, tabs, carriage returns and line feeds may stand anywhere, as
/// people's editors and tools put them there. `value` must hold text.size() / 4 * 3 + 3 bytes, else
/// internal is raised; it is zero unless the form is value.
[[nodiscard]] PlainDecoded decodePlain(std::span<const std::uint8_t> text,
                                       std::span<std::uint8_t> value);

} // namespace keyhold
