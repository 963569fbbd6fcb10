// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/tar_archive.h"

#include "conf/error.h"

#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr std::size_t kBufferSize = std::size_t{128} * 512;

struct EntryCloser {
    void operator()(archive_entry *entry) const noexcept { ::archive_entry_free(entry); }
};

[[noreturn]] void refuse(const std::string &text, SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::valueUnreadable, text, 0, place);
}

} // namespace

void ArchiveCloser::operator()(archive *handle) const noexcept {
    ::archive_free(handle);
}

TarWriter::TarWriter(Sink sink, std::int64_t time)
    : sink_(std::move(sink)),
      time_(time),
      archive_(::archive_write_new()) {
    if (!archive_)
        throw Error(ErrorCode::noMemory, "out of memory");
    const auto write = [](archive *, void *self, const void *bytes, std::size_t size) {
        auto &writer = *static_cast<TarWriter *>(self);
        try {
            writer.sink_({static_cast<const std::uint8_t *>(bytes), size});
            return static_cast<la_ssize_t>(size);
        } catch (...) {
            writer.failure_ = std::current_exception();
            return la_ssize_t{-1};
        }
    };
    require(::archive_write_set_format_pax_restricted(archive_.get()));
    require(::archive_write_set_bytes_per_block(archive_.get(), 0)); // no buffer
    require(::archive_write_open(archive_.get(), this, nullptr, write, nullptr));
}

void TarWriter::add(const std::string &name, std::span<const std::uint8_t> content) {
    constexpr mode_t kMode = S_IRUSR | S_IWUSR;
    const std::unique_ptr<archive_entry, EntryCloser> entry(::archive_entry_new());
    if (!entry)
        throw Error(ErrorCode::noMemory, "out of memory");
    ::archive_entry_set_pathname(entry.get(), name.c_str());
    ::archive_entry_set_filetype(entry.get(), AE_IFREG);
    ::archive_entry_set_perm(entry.get(), kMode);
    ::archive_entry_set_uname(entry.get(), "root");
    ::archive_entry_set_gname(entry.get(), "root");
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    ::archive_entry_set_mtime(entry.get(), time_, 0);
    require(::archive_write_header(archive_.get(), entry.get()));
    while (!content.empty()) {
        const la_ssize_t put = ::archive_write_data(archive_.get(), content.data(), content.size());
        require(put > 0 ? ARCHIVE_OK : ARCHIVE_FATAL);
        content = content.subspan(static_cast<std::size_t>(put));
    }
    require(::archive_write_finish_entry(archive_.get()));
}

void TarWriter::close() {
    require(::archive_write_close(archive_.get()));
}

void TarWriter::require(int result) const {
    if (failure_)
        std::rethrow_exception(failure_);
    if (result < ARCHIVE_OK) {
        const char *const text = ::archive_error_string(archive_.get());
        throw Error(ErrorCode::internal,
                    "cannot make an archive: " + std::string(text ? text : "unknown reason"));
    }
}

TarReader::TarReader(Source source)
    : source_(std::move(source)),
      buffer_(kBufferSize),
      archive_(::archive_read_new()) {
    if (!archive_)
        throw Error(ErrorCode::noMemory, "out of memory");
    const auto read = [](archive *, void *self, const void **bytes) {
        auto &reader = *static_cast<TarReader *>(self);
        try {
            *bytes = reader.buffer_.bytes().data();
            return static_cast<la_ssize_t>(reader.source_(reader.buffer_.bytes()));
        } catch (...) {
            reader.failure_ = std::current_exception();
            return la_ssize_t{-1};
        }
    };
    // Neither another format nor a compressed one: what is read is what is in the file.
    int result = ::archive_read_support_format_tar(archive_.get());
    if (result == ARCHIVE_OK)
        result = ::archive_read_open(archive_.get(), this, nullptr, read, nullptr);
    if (result != ARCHIVE_OK)
        raise();
}

std::optional<TarReader::Member> TarReader::next() {
    archive_entry *entry = nullptr;
    const int result = ::archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF)
        return std::nullopt;
    if (result != ARCHIVE_OK)
        raise();
    const char *const name = ::archive_entry_pathname(entry);
    const la_int64_t size = ::archive_entry_size(entry);
    if (name == nullptr || size < 0)
        refuse("has a member without a name or a size");
    const bool isRegular = ::archive_entry_filetype(entry) == AE_IFREG &&
                           ::archive_entry_hardlink(entry) == nullptr &&
                           ::archive_entry_symlink(entry) == nullptr;
    return Member{name, isRegular, static_cast<std::size_t>(size)};
}

void TarReader::read(std::span<std::uint8_t> content) {
    while (!content.empty()) {
        const la_ssize_t got = ::archive_read_data(archive_.get(), content.data(), content.size());
        if (got < 0)
            raise();
        if (got == 0)
            refuse("is cut off: a member is shorter than it should be");
        content = content.subspan(static_cast<std::size_t>(got));
    }
}

void TarReader::raise() const {
    if (failure_)
        std::rethrow_exception(failure_);
    const char *const text = ::archive_error_string(archive_.get());
    refuse("is damaged, cut off, compressed, or no tar archive: " +
           std::string(text ? text : "unknown reason"));
}

} // namespace keyhold::command
