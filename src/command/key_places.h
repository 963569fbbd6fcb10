// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/file_modes.h"
#include "conf/settings.h"
#include "os/file_system.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// Of a key file in the store.
inline constexpr const char *kKeyBesideValues =
    "has the form of a key and is in the directory of the values: who copies one has both; move it";

/// Whether that is one of its key files.
[[nodiscard]] bool isKeyOf(const KeyPlan &plan, const FileStatus &file);

/// What is wrong with where key files are: in the store or the directory above it, which is copied
/// with it, or where others can exchange them. Of a path that leads nowhere nothing is said: it may
/// be a key.
[[nodiscard]] std::vector<Finding> keyPlaces(const KeyPlan &plan, const std::string &store,
                                             const ExpectedModes &expected);

} // namespace keyhold::command
