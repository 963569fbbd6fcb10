// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/guarded_memory.h"

#include "conf/error.h"
#include "conf/sodium.h"

#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

namespace keyhold {
namespace {

constexpr std::size_t kAlignment = 16;

std::atomic<bool> lockRefused{false};

std::size_t pageSize() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t roundUp(std::size_t size, std::size_t unit) noexcept {
    return (size + unit - 1) / unit * unit;
}

/// Start of the pages that `data` stands in; the bytes end where those pages end.
std::uint8_t *pagesOf(std::uint8_t *data) noexcept {
    return data - reinterpret_cast<std::uintptr_t>(data) % pageSize();
}

} // namespace

// sodium_malloc returns the last `size` bytes before a guard page and keeps a canary just before
// them, which sodium_free checks. The pages of the bytes are wiped in a forked child; the canary
// must not be, or releasing the block there would raise SIGSEGV. So whole pages are asked for: they
// hold the bytes, at their end, and the canary stays on a page of its own.
GuardedMemory::GuardedMemory(std::size_t size) {
    if (size == 0)
        return;
    requireSodium();
    std::size_t page = pageSize();
    if (size > SIZE_MAX / 2)
        throw Error(ErrorCode::noMemory, "cannot allocate " + std::to_string(size) + " bytes");
    std::size_t length = roundUp(size, page);
    auto *pages = static_cast<std::uint8_t *>(sodium_malloc(length));
    if (pages == nullptr)
        throw Error(ErrorCode::noMemory,
                    "cannot allocate " + std::to_string(size) + " bytes of guarded memory", ENOMEM);
    // libsodium has tried the first two already and does not say how it went.
    ::madvise(pages, length, MADV_DONTDUMP);
    if (::mlock(pages, length) != 0)
        lockRefused.store(true, std::memory_order_relaxed);
    ::madvise(pages, length, MADV_WIPEONFORK);
    sodium_memzero(pages, length);
    bytes_ = {pages + (length - roundUp(size, kAlignment)), size};
}

GuardedMemory::GuardedMemory(GuardedMemory &&other) noexcept
    : bytes_(std::exchange(other.bytes_, {})) {}

GuardedMemory &GuardedMemory::operator=(GuardedMemory other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

GuardedMemory::~GuardedMemory() {
    // Wipes all the pages before it gives them back.
    if (!bytes_.empty())
        sodium_free(pagesOf(bytes_.data()));
}

bool GuardedMemory::memoryIsLocked() noexcept {
    return !lockRefused.load(std::memory_order_relaxed);
}

void wipe(std::span<std::uint8_t> bytes) noexcept {
    if (!bytes.empty())
        sodium_memzero(bytes.data(), bytes.size());
}

} // namespace keyhold
