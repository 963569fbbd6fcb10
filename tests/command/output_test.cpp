// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/json_stream.h"
#include "command/output.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

TEST(Output, NamesOfFilesDoNotActOnTheTerminal) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    print("a\x1b[31mb\nc\x7fü");
    tell("a\x1b[31mb\nc\x7fü");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "a\\x1b[31mb\\nc\\x7fü\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "keyhold: a\\x1b[31mb\\nc\\x7fü\n");
}

TEST(Output, JsonTakesNamesThatAreNotUtf8) {
    testing::internal::CaptureStdout();
    printJson({{"file", "a\xff"}});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "{\n  \"file\": \"a\xef\xbf\xbd\"\n}\n");
}

TEST(Output, JsonInPiecesIsAsJsonAtOnce) {
    const Json inner = {{"a", {1, {{"b", "\""}}}}, {"c", Json::array()}};
    const auto captured = [](const auto &print) {
        testing::internal::CaptureStdout();
        print();
        return testing::internal::GetCapturedStdout();
    };
    const Json whole = {{"first", inner}, {"list", {inner, 7}}, {"none", Json::array()}};
    EXPECT_EQ(captured([&] {
                  JsonStream json;
                  json.openObject();
                  json.put("first", inner);
                  json.openArray("list");
                  json.put(nullptr, inner);
                  json.put(nullptr, 7);
                  json.close();
                  json.openArray("none");
                  json.close();
                  json.close();
              }),
              captured([&] { printJson(whole); }));
}

TEST(Output, ProgressIsForTerminalsOnly) {
    testing::internal::CaptureStderr();
    {
        Progress progress("rekey", 2);
        progress.show(1);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace keyhold::command
