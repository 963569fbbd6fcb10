// SPDX-License-Identifier: LGPL-2.1-or-later
#include "child.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace {

/// What the log file of a fresh process holds after it wrote one line of each priority.
std::string logWith(const std::string &settings) {
    std::string path = (std::filesystem::temp_directory_path() / "keyhold-log-XXXXXX").string();
    close(mkstemp(path.data()));
    runBeside("LIBVIRT_DEBUG= LIBVIRT_LOG_OUTPUTS=1:file:" + path + " " + settings,
              "abi_log_writer");
    std::stringstream content;
    content << std::ifstream(path).rdbuf();
    std::filesystem::remove(path);
    return content.str();
}

testing::AssertionResult holds(const std::string &log, const std::string &text) {
    if (log.find(text) != std::string::npos)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no '" << text << "' in:\n" << log;
}

} // namespace

TEST(LibvirtLog, LinesArriveWithPriorityFunctionAndText) {
    const std::string log = logWith("LIBVIRT_LOG_FILTERS=1:secret.keyhold");
    EXPECT_TRUE(holds(log, "debug : main:13 : a debug line\n"));
    EXPECT_TRUE(holds(log, "info : main:14 : an info line\n"));
    EXPECT_TRUE(holds(log, "warning : main:15 : a warning line\n"));
    EXPECT_TRUE(holds(log, "error : main:16 : an error line with %s and %n\n"));
}

TEST(LibvirtLog, LibvirtsOwnThresholdHoldsWithoutAFilter) {
    const std::string log = logWith("LIBVIRT_LOG_FILTERS=");
    EXPECT_FALSE(holds(log, "a debug line"));
    EXPECT_FALSE(holds(log, "an info line"));
    EXPECT_TRUE(holds(log, "a warning line\n"));
    EXPECT_TRUE(holds(log, "an error line"));
}

TEST(LibvirtLog, AFilterCanSilenceOurSourceAlone) {
    const std::string log = logWith("LIBVIRT_LOG_FILTERS=4:secret.keyhold");
    EXPECT_FALSE(holds(log, "a warning line"));
    EXPECT_TRUE(holds(log, "an error line"));
}

TEST(LibvirtLog, ItCanBeAskedWhetherAPriorityIsLogged) {
    const std::string asDefault = logWith("LIBVIRT_LOG_FILTERS=");
    EXPECT_FALSE(holds(asDefault, "info is logged"));
    EXPECT_FALSE(holds(asDefault, "warnings are not logged"));
    EXPECT_TRUE(holds(logWith("LIBVIRT_LOG_FILTERS=2:secret.keyhold"), "info is logged"));
    EXPECT_TRUE(holds(logWith("LIBVIRT_LOG_FILTERS=4:secret.keyhold"), "warnings are not logged"));
}

TEST(LibvirtLog, ATextMakesOneLine) {
    const std::string log = logWith("LIBVIRT_LOG_FILTERS=1:secret.keyhold");
    EXPECT_TRUE(holds(log, " : a usage 'u'\\n2026-11-28 09:00:00.000+0000: 1: info : noteCall:1 : "
                           "forged\n"));
}
