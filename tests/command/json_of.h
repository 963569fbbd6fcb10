// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"

#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {

/// Runs a subcommand; `said` gets the JSON that it prints, unless it raises.
inline Exit runForJson(const std::function<Exit()> &run, Json &said) {
    testing::internal::CaptureStdout();
    try {
        const Exit exit = run();
        said = Json::parse(testing::internal::GetCapturedStdout());
        return exit;
    } catch (...) {
        testing::internal::GetCapturedStdout();
        throw;
    }
}

} // namespace keyhold::command
