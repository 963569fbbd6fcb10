// SPDX-License-Identifier: LGPL-2.1-or-later
// What nearly every file of a test program includes; compiled once for each program. The files
// include what they need themselves, as if this did not exist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
