// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/mutex.h"
#include "conf/secret_definition.h"
#include "os/untrusted_file.h"
#include "seal/scratch.h"
#include "seal/sealing_policy.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

/// The files of one secret, and what they are worth: what everybody who reads a store must decide
/// alike. Nothing here decrypts.
namespace keyhold {

/// A text node above 10,000,000 bytes cannot be loaded; with every character escaped it takes six
/// times as many.
inline constexpr std::size_t kMaxDefinitionFileSize = std::size_t{64} * 1024 * 1024;

/// Content of a definition file; empty if there is none. Raises as UntrustedFile. `status` gets
/// what the file was before it was read.
[[nodiscard]] std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                                            const std::string &name,
                                                            FileStatus *status = nullptr);

/// A value file's content, in memory fit for it.
struct ValueFile {
    /// Of a large one; goes last.
    std::unique_ptr<MutexLock> turn;
    std::unique_ptr<Scratch> memory;
    std::size_t size;
    FileStatus status; ///< before it was read

    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return memory->bytes().first(size);
    }
};

/// Content of a value file; empty if there is none. One of more than `limit` bytes is not read. As
/// readDefinitionFile(). Of the files that no pooled block holds (Scratch::kPooledSize), a process
/// has one at a time: the next call for such a file waits until the one before is destroyed. Who
/// fills a store with large files takes time of the threads that read it, and not a buffer each; so
/// a thread must not ask for a second one while it has one.
[[nodiscard]] std::optional<ValueFile> readValueFile(const StoreDirectory &directory,
                                                     const std::string &name, std::size_t limit);

/// A definition file that is that of its secret.
struct DefinitionFile {
    SecretDefinition definition;
    FileStatus status; ///< before it was read
};

/// The definition file of a secret defines another one.
class MisnamedDefinitionError : public Error {
  public:
    /// `name` is that of the file.
    MisnamedDefinitionError(const std::string &name, const Uuid &defined,
                            SourcePlace place = SourcePlace::current());

    [[nodiscard]] const Uuid &defined() const noexcept { return defined_; }

  private:
    Uuid defined_;
};

/// Empty if there is none. Raises as UntrustedFile and parseSecretFile(), and
/// MisnamedDefinitionError.
[[nodiscard]] std::optional<DefinitionFile> readDefinition(const StoreDirectory &directory,
                                                           const Uuid &uuid);

/// The value file of a secret in one format, as readValueFile(): empty if there is none.
[[nodiscard]] std::optional<ValueFile> readEncodedValue(const StoreDirectory &directory,
                                                        const Uuid &uuid, ValueFormat format);

/// The format whose file counts: the first one of `formats`, in the order of kValueFormats, of
/// which `holds` says that its file is there and holds a value, be it an unreadable one. A file
/// that holds none, blank or encrypting nothing, hides none behind it.
template <typename Holds>
[[nodiscard]] std::optional<ValueFormat> countingFormat(ValueFormats formats, Holds &&holds) {
    for (const ValueFormat format : kValueFormats) {
        if ((formats & only(format)) != 0 && holds(format))
            return format;
    }
    return std::nullopt;
}

} // namespace keyhold
