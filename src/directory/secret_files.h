// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/secret_definition.h"
#include "directory/stored_files.h"
#include "seal/sealing_policy.h"

#include <optional>
#include <utility>

/// The files of one secret, and what they are worth: what everybody who reads a store must decide
/// alike. Nothing here decrypts.
namespace keyhold {

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
