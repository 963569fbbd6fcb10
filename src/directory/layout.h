// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/sealing_policy.h"

#include <optional>
#include <string>
#include <string_view>

/// The names of the files of a store, all in one directory. Public names are those of the stock
/// driver; people and tools read and write them. Private names are made by this driver alone, end
/// in nothing that a stock driver loads, and may be removed at start.
namespace keyhold::layout {

/// What a file is to its secret, by the end of its name.
enum class Stage {
    current,  ///< U.xml, U.base64, U.aes256cbc, U.jwe
    fresh,    ///< being written: never of use to a later process
    leaving,  ///< of a secret that is being removed: a definition takes its values with it, a value
              ///< returns if its definition is still there
    old,      ///< replaced or removed, kept until the directory is synced
    awaiting, ///< a value, complete; belongs to the definition whose text has the hash in its name
};

[[nodiscard]] std::string definitionName(const Uuid &uuid, Stage stage = Stage::current);
[[nodiscard]] std::string valueName(const Uuid &uuid, ValueFormat form,
                                    Stage stage = Stage::current);
/// `definitionHash` is hashOfDefinition() of the text that the value waits for.
[[nodiscard]] std::string awaitingValueName(const Uuid &uuid, ValueFormat form,
                                            const std::string &definitionHash);
/// The n-th name (from 1) under which a value file is quarantined that belongs to no secret, or
/// that nobody could read when a new value came. Not private: it is somebody's and is never
/// removed.
[[nodiscard]] std::string quarantineName(const Uuid &uuid, ValueFormat form, unsigned n);
/// True for such a name, whatever its number.
[[nodiscard]] bool isQuarantineName(std::string_view name);

/// 16 hexadecimal digits: the first half of BLAKE2b-128.
[[nodiscard]] std::string hashOfDefinition(std::string_view text);

struct FileName {
    Uuid uuid;
    Stage stage;
    std::optional<ValueFormat> form; ///< empty for definitions
    std::string definitionHash;      ///< only while it is awaiting that
};

/// What a name in the directory stands for; empty for names that are none of the above.
[[nodiscard]] std::optional<FileName> parseFileName(std::string_view name);

/// True for a name that no driver has given and that mentions a secret: a uuid, or the end of the
/// name of a value, is somewhere in it, as in those of editors' copies (`.U.base64.swp`).
[[nodiscard]] bool mentionsSecret(std::string_view name);

/// True for names a stock driver would try to load as a definition.
[[nodiscard]] bool hasDefinitionSuffix(std::string_view name);

} // namespace keyhold::layout
