// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace keyhold {

class Phase;
using PhaseFunction = std::function<void(Phase &)>;

/// One line of work that is done with either module. Each phase runs in a process of its own, one
/// after the other on the same root: libvirt 9.0.0's own module opens an embedded root only once a
/// process, so a phase is also what a restart is. Helpers are processes that a phase starts itself.
struct Scenario {
    std::string name;
    std::vector<PhaseFunction> phases;
    std::vector<PhaseFunction> helpers = {};
    /// Run all processes in a mount namespace of the scenario's own.
    bool ownMounts = false;
};

/// Every scenario, in the order of `--list`.
[[nodiscard]] std::vector<Scenario> allScenarios();

// One function for each subject; see the file of the same name.
[[nodiscard]] std::vector<Scenario> crashScenarios();
[[nodiscard]] std::vector<Scenario> eventScenarios();
[[nodiscard]] std::vector<Scenario> faultScenarios();
[[nodiscard]] std::vector<Scenario> fileScenarios();
[[nodiscard]] std::vector<Scenario> getterScenarios();
[[nodiscard]] std::vector<Scenario> inhibitorScenarios();
[[nodiscard]] std::vector<Scenario> killScenarios();
[[nodiscard]] std::vector<Scenario> listScenarios();
[[nodiscard]] std::vector<Scenario> loadingScenarios();
[[nodiscard]] std::vector<Scenario> lookupScenarios();
[[nodiscard]] std::vector<Scenario> openingScenarios();
[[nodiscard]] std::vector<Scenario> outputScenarios();
[[nodiscard]] std::vector<Scenario> parsingScenarios();
[[nodiscard]] std::vector<Scenario> processScenarios();
[[nodiscard]] std::vector<Scenario> redefiningScenarios();
[[nodiscard]] std::vector<Scenario> restartScenarios();
[[nodiscard]] std::vector<Scenario> spaceScenarios();
[[nodiscard]] std::vector<Scenario> threadScenarios();
[[nodiscard]] std::vector<Scenario> valueFileScenarios();
[[nodiscard]] std::vector<Scenario> valueScenarios();

} // namespace keyhold
