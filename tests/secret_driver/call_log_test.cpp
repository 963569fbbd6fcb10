// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/call_log.h"

#include "remote/host_log_file.h"
#include "secret_driver/calls_fixture.h"

#include <gmock/gmock.h>

#include <regex>
#include <sstream>

namespace keyhold {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CallLog : public WithCalls {
  protected:
    /// The lines of level info, from the function on.
    [[nodiscard]] static std::vector<std::string> notes(const LibvirtLogFile &log) {
        std::vector<std::string> lines;
        std::stringstream text(log.text());
        for (std::string line; std::getline(text, line);) {
            if (const std::size_t at = line.find(": info : noteCall:"); at != std::string::npos)
                lines.push_back(
                    std::regex_replace(line.substr(at + 9), std::regex(":\\d+ : "), " "));
        }
        return lines;
    }
    [[nodiscard]] static std::string note(unsigned number, const std::string &what) {
        return "noteCall secret '" + uuidOf(number).toString() + "' " + what;
    }
};

} // namespace

TEST_F(CallLog, EachChangeAndEachReadIsALineWithSecretAndCaller) {
    const LibvirtLogFile log("2:secret.keyhold");
    const Handle secret = define(1);
    set(1, "a value");
    (void)get(1);
    set(1, "");
    calls::undefine(*instance_, unrecorded_, secret.get());
    EXPECT_THAT(notes(log),
                ElementsAre(note(1, "defined by this process"),
                            note(1, "given a value by this process"),
                            note(1, "read by this process"), note(1, "emptied by this process"),
                            note(1, "undefined by this process")));
    EXPECT_THAT(log.text(), Not(HasSubstr("a value\n")));
}

TEST_F(CallLog, TheCallerIsThatOfTheThread) {
    const LibvirtLogFile log("2:secret.keyhold");
    define(1);
    set(1, "value");
    asClient([&] { (void)get(1); });
    EXPECT_EQ(notes(log).back(), note(1, "read by an unknown client"));
}

TEST_F(CallLog, WhatWasRefusedIsNotInIt) {
    define(1, false, true);
    const LibvirtLogFile log("2:secret.keyhold");
    EXPECT_THROW((void)get(2), Error);
    asClient([&] { EXPECT_THROW((void)get(1), Error); });
    refuseEverything();
    EXPECT_ANY_THROW(set(1, "value"));
    EXPECT_THAT(notes(log), IsEmpty());
}

TEST_F(CallLog, NothingIsWrittenUnlessAFilterAsksForIt) {
    const LibvirtLogFile log;
    define(1);
    set(1, "value");
    (void)get(1);
    EXPECT_THAT(log.text(), Not(HasSubstr(uuidOf(1).toString())));
}

} // namespace keyhold
