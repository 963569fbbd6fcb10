// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

/// Runs one of the programs built beside this test with a shell: `assignments` are environment
/// variables ("A=b C=d"). Returns what it wrote to its standard output; a program that fails is a
/// failure of the running test.
std::string runBeside(const std::string &assignments, const std::string &program,
                      const std::string &argument = "");
