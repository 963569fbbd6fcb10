// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold::command {

/// Asks on the terminal that is standard input for a value, twice and without showing it, and
/// returns how many bytes were typed. The end of the line is no part of it. A line may be longer
/// than the 4095 bytes that the kernel takes for one. Raises invalidArgument if the two differ,
/// if it does not fit, and if ^C was typed or a signal came; the terminal is as before in any case.
[[nodiscard]] std::size_t typeValue(std::span<std::uint8_t> into);

/// A line as it is typed: keys that edit it, and bytes that become part of it.
class TypedLine {
  public:
    struct Keys {
        std::uint8_t erase, kill, end, interrupt;
    };
    enum class State { open, complete, interrupted, full };

    TypedLine(std::span<std::uint8_t> into, Keys keys) : into_(into), keys_(keys) {}

    /// The next byte from the terminal; returns what the line is then.
    State take(std::uint8_t byte);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    void eraseCharacter();

    const std::span<std::uint8_t> into_;
    const Keys keys_;
    std::size_t size_ = 0;
};

} // namespace keyhold::command
