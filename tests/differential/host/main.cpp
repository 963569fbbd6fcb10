// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs one scenario against whatever secret driver libvirt finds in LIBVIRT_DRIVER_DIR, and prints
// what a client sees. See ../README.md.
#include "files.h"
#include "phase.h"
#include "process.h"
#include "sandbox.h"
#include "scenario.h"

#include <cstdio>
#include <cstring>
#include <exception>

#include <sys/stat.h>

namespace keyhold {

namespace {

constexpr int kUsageError = 2;
constexpr int kBroken = 3; ///< the scenario itself could not be set up

const Scenario *find(const std::vector<Scenario> &scenarios, const std::string &name) {
    for (const Scenario &scenario : scenarios) {
        if (scenario.name == name)
            return &scenario;
    }
    return nullptr;
}

int runPhase(const Scenario &scenario, const std::string &root, std::size_t index) {
    Phase phase(scenario, index, root);
    bool isHelper = index >= scenario.phases.size();
    const PhaseFunction &function =
        isHelper ? scenario.helpers.at(index - scenario.phases.size()) : scenario.phases[index];
    function(phase);
    return 0;
}

int runScenario(const Scenario &scenario, const std::string &root) {
    struct stat status {};
    if (lstat(root.c_str(), &status) == 0) {
        std::fprintf(stderr, "%s is there already\n", root.c_str());
        return kUsageError;
    }
    // Everybody may look in: some phases give up being root.
    makeDirectories(root + ".scratch", 0755);
    if (scenario.ownMounts)
        isolateMounts();
    Transcript transcript(root, "");
    for (std::size_t i = 0; i < scenario.phases.size(); i++) {
        std::string number = std::to_string(i + 1);
        std::string errorOutput = root + ".scratch/stderr";
        std::remove(errorOutput.c_str());
        Process process({"--phase", scenario.name, root, std::to_string(i)}, errorOutput);
        transcript.note("end of phase " + number, process.wait());
        std::string written = readFile(errorOutput);
        transcript.note("stderr of phase " + number, written.empty() ? "empty" : "written to");
        std::fputs(written.c_str(), stderr);
    }
    visitTree(root, [&](const std::string &name, const std::string &text) {
        transcript.note("left on disk/" + name, text);
    });
    return 0;
}

int usage() {
    std::fputs("usage: differential_host --list | --version | SCENARIO ROOT\n"
               "ROOT is an absolute path that does not exist yet; ROOT.scratch is used as well.\n",
               stderr);
    return kUsageError;
}

int run(const std::vector<std::string> &arguments) {
    std::vector<Scenario> scenarios = allScenarios();
    if (arguments.size() == 1 && arguments[0] == "--list") {
        for (const Scenario &scenario : scenarios)
            std::puts(scenario.name.c_str());
        return 0;
    }
    if (arguments.size() == 1 && arguments[0] == "--version") {
        unsigned long version = 0;
        check(virGetVersion(&version, nullptr, nullptr) == 0, "virGetVersion");
        std::printf("%lu.%lu.%lu\n", version / 1000000, version / 1000 % 1000, version % 1000);
        return 0;
    }
    bool isPhase = arguments.size() == 4 && arguments[0] == "--phase";
    if (!isPhase && arguments.size() != 2)
        return usage();
    const Scenario *scenario = find(scenarios, arguments[isPhase ? 1 : 0]);
    const std::string &root = arguments[isPhase ? 2 : 1];
    if (!scenario || !root.starts_with('/'))
        return usage();
    return isPhase ? runPhase(*scenario, root, std::stoul(arguments[3]))
                   : runScenario(*scenario, root);
}

} // namespace

std::vector<Scenario> allScenarios() {
    std::vector<Scenario> all;
    for (auto subject :
         {openingScenarios, processScenarios,    getterScenarios,    parsingScenarios,
          outputScenarios,  redefiningScenarios, lookupScenarios,    listScenarios,
          valueScenarios,   eventScenarios,      inhibitorScenarios, crashScenarios,
          fileScenarios,    loadingScenarios,    valueFileScenarios, restartScenarios,
          faultScenarios,   spaceScenarios,      killScenarios,      threadScenarios}) {
        for (Scenario &scenario : subject())
            all.push_back(std::move(scenario));
    }
    return all;
}

} // namespace keyhold

int main(int argc, char **argv) {
    try {
        return keyhold::run({argv + 1, argv + argc});
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "differential_host: %s\n", problem.what());
        std::printf("the scenario cannot be set up: %s\n", problem.what());
        return keyhold::kBroken;
    }
}
