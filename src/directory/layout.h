// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/sealing_policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The names of the files of a store, all in one directory. Public names are those of the stock
/// driver; people and tools read and write them. Private names are made by this driver alone, end
/// in nothing that a stock driver loads, and may be removed at start.
namespace keyhold::layout {

enum class FileKind {
    definition,        ///< U.xml
    value,             ///< U.base64, U.aes256cbc, U.jwe
    newDefinition,     ///< being written: never of use to a later process
    newValue,          ///< being written
    awaitingValue,     ///< complete; belongs to the definition whose text has the hash in its name
    leavingValue,      ///< a value on its way out; returns if its definition is still there
    leavingDefinition, ///< of a secret that is being removed: it takes its values with it
    oldDefinition,     ///< replaced or removed, kept until the directory is synced
    oldValue,          ///< replaced or removed, kept until the directory is synced
};

[[nodiscard]] std::string definitionName(const Uuid &uuid);
[[nodiscard]] std::string valueName(const Uuid &uuid, ValueFormat form);
[[nodiscard]] std::string newDefinitionName(const Uuid &uuid);
[[nodiscard]] std::string newValueName(const Uuid &uuid, ValueFormat form);
/// `definitionHash` is hashOfDefinition() of the text that the value waits for.
[[nodiscard]] std::string awaitingValueName(const Uuid &uuid, ValueFormat form,
                                            const std::string &definitionHash);
[[nodiscard]] std::string leavingValueName(const Uuid &uuid, ValueFormat form);
[[nodiscard]] std::string leavingDefinitionName(const Uuid &uuid);
[[nodiscard]] std::string oldDefinitionName(const Uuid &uuid);
[[nodiscard]] std::string oldValueName(const Uuid &uuid, ValueFormat form);
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
    FileKind kind;
    ValueFormat form;           ///< not for definitions
    std::string definitionHash; ///< only for awaitingValue
};

/// What a name in the directory stands for; empty for names that are none of the above.
[[nodiscard]] std::optional<FileName> parseFileName(std::string_view name);

/// True for names a stock driver would try to load as a definition.
[[nodiscard]] bool hasDefinitionSuffix(std::string_view name);

} // namespace keyhold::layout
