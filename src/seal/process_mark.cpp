// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/process_mark.h"

#include "conf/error.h"

#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

namespace keyhold {

void ProcessMark::make() {
    if (page_.load(std::memory_order_relaxed) != nullptr)
        return;
    const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void *pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        throw Error(ErrorCode::noMemory, "cannot allocate memory for the mark of a process", errno);
    auto *page = static_cast<std::uint8_t *>(pages);
    if (::madvise(page, size, MADV_WIPEONFORK) != 0)
        owner_ = ::getpid();
    *page = 1;
    page_.store(page, std::memory_order_release);
}

bool ProcessMark::isOurs() const noexcept {
    const volatile std::uint8_t *page = page_.load(std::memory_order_acquire);
    return page == nullptr || (*page != 0 && (owner_ == 0 || owner_ == ::getpid()));
}

} // namespace keyhold
