// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/key_memory.h"

#include "conf/mutex.h"
#include "seal/guarded_memory.h"
#include "seal/process_mark.h"

#include <bitset>
#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold {
namespace {

constexpr std::size_t kGranule = 64;
constexpr std::size_t kChunkSize = std::size_t{16} * 1024;
constexpr std::size_t kGranules = kChunkSize / kGranule;
constexpr std::size_t kMaxBlockSize = 4096;

std::size_t granulesOf(std::size_t size) noexcept {
    return (size + kGranule - 1) / kGranule;
}

std::string textOf(const char *what, int error) {
    return Error(ErrorCode::systemCall, what, error).fullText();
}

/// A file descriptor of secret memory, or -errno.
int openSecretmem() noexcept {
#ifdef SYS_memfd_secret
    const long result = ::syscall(SYS_memfd_secret, O_CLOEXEC);
    return result < 0 ? -errno : static_cast<int>(result);
#else
    return -ENOSYS;
#endif
}

/// Maps secret memory over `pages`; 0 or an errno.
int mapSecretmem(void *pages, std::size_t length) noexcept {
    const int descriptor = openSecretmem();
    if (descriptor < 0)
        return -descriptor;
    int error = 0;
    if (::ftruncate(descriptor, static_cast<off_t>(length)) != 0 ||
        ::mmap(pages, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) ==
            MAP_FAILED)
        error = errno;
    ::close(descriptor);
    return error;
}

/// A stretch of memory for keys, in granules that are free or taken.
struct Chunk {
    std::uint8_t *pages;
    bool wantsSecretmem; ///< what was asked for when it was made
    KeyMemoryKind kind;
    std::string reason; ///< why it is less
    std::bitset<kGranules> taken;

    /// Null if there is no such stretch free.
    std::uint8_t *take(std::size_t count) noexcept {
        for (std::size_t at = 0, have = 0; at < kGranules; ++at) {
            have = taken[at] ? 0 : have + 1;
            if (have == count) {
                const std::size_t first = at + 1 - count;
                for (std::size_t i = first; i <= at; ++i)
                    taken[i] = true;
                return pages + first * kGranule;
            }
        }
        return nullptr;
    }

    bool giveBack(const std::uint8_t *data, std::size_t count) noexcept {
        if (data < pages || data >= pages + kChunkSize)
            return false;
        const std::size_t first = static_cast<std::size_t>(data - pages) / kGranule;
        for (std::size_t i = first; i < first + count; ++i)
            taken[i] = false;
        return true;
    }
};

class Arena {
  public:
    void prefer(bool secretmem) noexcept {
        const MutexLock lock(mutex_);
        wantsSecretmem_ = secretmem;
    }

    /// Of the weakest of the newest kind that was asked for.
    std::optional<key_memory::Report> report() {
        const MutexLock lock(mutex_);
        std::optional<key_memory::Report> weakest;
        for (const Chunk &chunk : chunks_) {
            if (chunk.wantsSecretmem == chunks_.back().wantsSecretmem &&
                (!weakest || chunk.kind > weakest->kind))
                weakest = {chunk.kind, chunk.reason};
        }
        return weakest;
    }

    std::uint8_t *take(std::size_t count) {
        const MutexLock lock(mutex_);
        for (Chunk &chunk : chunks_) {
            if (chunk.wantsSecretmem != wantsSecretmem_)
                continue;
            if (std::uint8_t *data = chunk.take(count))
                return data;
        }
        mark_.make();
        grow();
        return chunks_.back().take(count);
    }

    void giveBack(const std::uint8_t *data, std::size_t count) noexcept {
        const MutexLock lock(mutex_);
        for (Chunk &chunk : chunks_)
            if (chunk.giveBack(data, count))
                return;
    }

    bool isOurs() const noexcept { return mark_.isOurs(); }

    /// Never destroyed: keys are used until the process is gone.
    static Arena &ofProcess() {
        alignas(Arena) static std::byte place[sizeof(Arena)]; // it takes no memory
        static Arena *const arena = new (place) Arena;
        return *arena;
    }

  private:
    static void *map(void *at, std::size_t length, int protection, int flags) {
        void *pages = ::mmap(at, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
        if (pages == MAP_FAILED)
            throw Error(ErrorCode::noMemory, "cannot allocate memory for keys", errno);
        return pages;
    }

    void grow() REQUIRES(mutex_) {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const std::size_t length = (kChunkSize + page - 1) / page * page;
        chunks_.reserve(chunks_.size() + 1);
        // The pages before and behind stay out of reach.
        auto *pages =
            static_cast<std::uint8_t *>(map(nullptr, length + 2 * page, PROT_NONE, 0)) + page;
        try {
            chunks_.push_back(fill(pages, length));
        } catch (...) {
            ::munmap(pages - page, length + 2 * page);
            throw;
        }
    }

    /// Makes `pages` usable, as the best kind that is available.
    Chunk fill(std::uint8_t *pages, std::size_t length) REQUIRES(mutex_) {
        auto kind = KeyMemoryKind::secretmem;
        std::string reason;
        if (const int error = wantsSecretmem_ ? mapSecretmem(pages, length) : ENOSYS; error != 0) {
            if (wantsSecretmem_)
                reason = textOf("memfd_secret is unavailable", error);
            kind = KeyMemoryKind::locked;
            // A mapping that failed may have left a hole.
            map(pages, length, PROT_READ | PROT_WRITE, MAP_FIXED);
            if (::mlock(pages, length) != 0) {
                const int lockError = errno;
                kind = KeyMemoryKind::unlocked;
                reason += (reason.empty() ? "" : "; ") +
                          textOf("memory cannot be locked (RLIMIT_MEMLOCK)", lockError);
            }
        }
        ::madvise(pages, length, MADV_DONTDUMP);
        // Not MADV_WIPEONFORK: secret memory is shared by nature.
        ::madvise(pages, length, MADV_DONTFORK);
        return {pages, wantsSecretmem_, kind, std::move(reason), {}};
    }

    Mutex mutex_;
    bool wantsSecretmem_ GUARDED_BY(mutex_) = false;
    std::vector<Chunk> chunks_ GUARDED_BY(mutex_);
    ProcessMark mark_; // made under the mutex
};

} // namespace

const char *keyMemoryKindName(KeyMemoryKind kind) noexcept {
    switch (kind) {
    case KeyMemoryKind::secretmem:
        return "secretmem";
    case KeyMemoryKind::locked:
        return "locked";
    case KeyMemoryKind::unlocked:
        return "unlocked";
    }
    return "";
}

namespace key_memory {

void preferSecretmem(bool wanted) noexcept {
    Arena::ofProcess().prefer(wanted);
}

std::optional<Report> report() {
    return Arena::ofProcess().report();
}

bool isOurs() noexcept {
    return Arena::ofProcess().isOurs();
}

void requireOurs(SourcePlace place) {
    if (!isOurs())
        throw Error(ErrorCode::internal,
                    "keys cannot be used in a forked copy of the process that held them", 0, place);
}

} // namespace key_memory

KeyBlock::KeyBlock(std::size_t size) {
    key_memory::requireOurs(); // before the lock, which another thread may have held at the fork
    if (size > kMaxBlockSize)
        throw Error(ErrorCode::internal, "a key of " + std::to_string(size) + " bytes");
    if (size != 0)
        bytes_ = {Arena::ofProcess().take(granulesOf(size)), size};
}

KeyBlock::KeyBlock(KeyBlock &&other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

KeyBlock &KeyBlock::operator=(KeyBlock other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

KeyBlock::~KeyBlock() {
    if (bytes_.empty() || !key_memory::isOurs())
        return;
    wipe(bytes_);
    Arena::ofProcess().giveBack(bytes_.data(), granulesOf(bytes_.size()));
}

} // namespace keyhold
