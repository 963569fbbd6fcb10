// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/store_keys.h"
#include "command/target.h"
#include "command/told_state.h"
#include "directory/inspection.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// The file of the current key holds another one than belongs there. Ids.
struct ExchangedKey {
    std::string there;
    std::string wanted;
    std::string text; ///< with the remedy
};

/// By the note in the settings; where there is none, by stored values: none needs the key that is
/// there, and some need one that is nowhere. The text warns of a reload if only the daemon of
/// `driver` still has the key.
[[nodiscard]] std::optional<ExchangedKey> findExchangedKey(const Target &target,
                                                           const StoreKeys &keys,
                                                           const Inspection &inspection,
                                                           const DriverView &driver);

/// To go on with the wrong key would overwrite the note of the right one, and have the daemon drop
/// that. Raises configUnsupported, with the remedy.
void requireNoExchangedKey(const Target &target, const StoreKeys &keys,
                           const std::optional<Holder> &holder);

/// The values that need the key say why it is not there.
void explainExchangedKey(const ExchangedKey &exchanged, std::vector<Finding> &findings);

} // namespace keyhold::command
