// SPDX-License-Identifier: LGPL-2.1-or-later
#include "child.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>

std::string runBeside(const std::string &assignments, const std::string &program,
                      const std::string &argument) {
    const auto directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const std::string command =
        "env " + assignments + " '" + (directory / program).string() + "' " + argument;
    FILE *pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) {
        ADD_FAILURE() << "cannot run " << command;
        return "";
    }
    std::string output;
    std::array<char, 4096> buffer;
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
        output.append(buffer.data(), count);
    EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
    return output;
}
