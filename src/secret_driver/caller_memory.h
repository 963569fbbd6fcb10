// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

namespace keyhold {

/// Memory whose ownership goes to the caller of libvirt, who frees it with free().
struct FreeForCaller {
    void operator()(void *block) const noexcept { std::free(block); }
};

template <typename T>
using CallerArray = std::unique_ptr<T[], FreeForCaller>;

/// `count` zeroed elements, at least one. Raises std::bad_alloc.
template <typename T>
CallerArray<T> allocateForCaller(std::size_t count) {
    void *block = std::calloc(count > 0 ? count : 1, sizeof(T));
    if (!block)
        throw std::bad_alloc();
    return CallerArray<T>(static_cast<T *>(block));
}

/// A NUL-terminated copy. Raises std::bad_alloc.
inline CallerArray<char> copyForCaller(const std::string &text) {
    auto copy = allocateForCaller<char>(text.size() + 1);
    std::memcpy(copy.get(), text.data(), text.size());
    return copy;
}

} // namespace keyhold
