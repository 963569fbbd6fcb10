// SPDX-License-Identifier: LGPL-2.1-or-later
// What a backend makes of the files it finds. Changes: directory_backend_change_test.cpp.
#include "directory/directory_backend.h"

#include "conf/raised.h"
#include "directory/secret_files.h"
#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class DirectoryBackendTest : public testing::Test {
  protected:
    DirectoryBackendTest() { bench.fileSystem = &faulty; }

    /// What the value file makes of the value: as in SecretState.
    std::string valueIn(const std::string &content) {
        bench.put(xmlName(1), textOf(definitionOf(1)));
        bench.put(valueName(1), content);
        return readOne().value;
    }

    SecretState readOne() {
        auto stored = bench.openBarrier()->read(uuidNumber(1));
        return stored ? stateOf(Record{stored->definition, stored->value, true})
                      : SecretState{"", "no secret"};
    }

    std::string whyUnreadable() {
        const auto stored = bench.openBarrier()->read(uuidNumber(1));
        return stored && stored->value.isUnreadable() ? stored->value.reason().message()
                                                      : "readable";
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
};

TEST_F(DirectoryBackendTest, ListsTheUuidsThatHaveADefinitionFile) {
    bench.put(xmlName(1), textOf(definitionOf(1)));
    bench.put(xmlName(2), "garbage");
    bench.put(valueName(3), base64("orphan"));
    bench.disk.putDirectory(bench.path(xmlName(4)));
    EXPECT_THAT(uuidsOf(bench.openBackend()->list(Strays::told)),
                UnorderedElementsAre(uuidNumber(1), uuidNumber(2), uuidNumber(4)));
}

TEST_F(DirectoryBackendTest, FilesThatOnlyLookLikeDefinitionsAreLoggedOnceAListing) {
    const std::string upper = "ABCDEFAB-0000-4000-8000-00000000ABCD.xml";
    bench.put("foo.xml", "");
    bench.put(upper, "");
    bench.put("notes.txt", "");
    bench.put(xmlName(1) + ".new", "");
    bench.put(valueName(1) + ".new", "");
    bench.disk.putDirectory(bench.path("folder"));
    EXPECT_THAT(uuidsOf(bench.openBackend()->list(Strays::told)), IsEmpty());
    EXPECT_THAT(
        bench.log.lines(),
        UnorderedElementsAre(
            "error: Error reading secret: <uuid> does not match secret file name '/store/foo.xml'",
            "error: Error reading secret: <uuid> does not match secret file name '/store/" + upper +
                "'"));
}

TEST_F(DirectoryBackendTest, WhoWasToldOfThemCanPassThemOver) {
    bench.put("foo.xml", "");
    EXPECT_THAT(uuidsOf(bench.openBackend()->list(Strays::passedOver)), IsEmpty());
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(DirectoryBackendTest, ADirectoryThatCannotBeListedRaises) {
    auto backend = bench.openBackend();
    faulty.fail(Operation::list, "", EIO);
    EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot read directory '/store'"}),
              raisedBy([&] { static_cast<void>(backend->list(Strays::told)); }));
}

TEST_F(DirectoryBackendTest, ReadsDefinitionAndValue) {
    bench.put(xmlName(1), textOf(described(definitionOf(1, "one"), "text")));
    bench.put(valueName(1), base64("value"));
    EXPECT_EQ((SecretState{textOf(described(definitionOf(1, "one"), "text")), "=value"}),
              readOne());
}

TEST_F(DirectoryBackendTest, WithoutADefinitionThereIsNoSecret) {
    EXPECT_EQ("no secret", readOne().value);
    bench.put(valueName(1), base64("orphan"));
    EXPECT_EQ("no secret", readOne().value);
}

TEST_F(DirectoryBackendTest, AnotherUuidInsideTheFileIsRefused) {
    for (const auto &text : {textOf(definitionOf(2)), std::string("<secret/>"),
                             std::string("<secret><uuid/></secret>")}) {
        bench.put(xmlName(1), text);
        EXPECT_EQ((Raised{ErrorCode::internal,
                          "<uuid> does not match secret file name '" + xmlName(1) + "'"}),
                  raisedBy([&] { readOne(); }));
    }
}

TEST_F(DirectoryBackendTest, AnotherSpellingOfTheUuidInsideTheFileIsTaken) {
    bench.put(xmlName(1), "<secret><uuid> AB00000000000000-0000000000000001\n</uuid></secret>");
    EXPECT_EQ(textOf(definitionOf(1)), readOne().xml);
}

TEST_F(DirectoryBackendTest, ADefinitionThatCannotBeReadRaises) {
    bench.put(xmlName(1), "garbage");
    EXPECT_EQ(ErrorCode::xmlMalformed, raisedBy([&] { readOne(); })->code);
    bench.remove(xmlName(1));
    bench.disk.putDirectory(bench.path(xmlName(1)));
    EXPECT_EQ(ErrorCode::internal, raisedBy([&] { readOne(); })->code);
    bench.remove(xmlName(1));
    bench.disk.putDanglingLink(bench.path(xmlName(1)));
    EXPECT_EQ(ErrorCode::systemCall, raisedBy([&] { readOne(); })->code);
}

TEST_F(DirectoryBackendTest, TheErrorOfABrokenDefinitionNamesTheFile) {
    bench.put(xmlName(1), "<secret><uuid></secret>");
    EXPECT_THAT(raisedBy([&] { readOne(); })->text, HasSubstr(bench.path(xmlName(1))));
}

TEST_F(DirectoryBackendTest, ValuesAreReadAsPeopleAndToolsWriteThem) {
    EXPECT_EQ("=hello", valueIn("aGVsbG8="));
    EXPECT_EQ("=hello", valueIn("aGVsbG8=\n"));
    EXPECT_EQ("=hello", valueIn("aGVsbG8=\r\n"));
    EXPECT_EQ("=hello", valueIn("  aGVs\nbG8=\t"));
    EXPECT_EQ("=" + std::string("a\0b", 3), valueIn(base64(std::string("a\0b", 3))));
    EXPECT_EQ("=" + std::string(70000, 'x'), valueIn(base64(std::string(70000, 'x'))));
}

TEST_F(DirectoryBackendTest, ABlankValueFileIsNoValue) {
    for (const char *content : {"", "\n", " \t\r\n"})
        EXPECT_EQ("none", valueIn(content));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(DirectoryBackendTest, ADamagedValueIsNeverServedInPart) {
    for (const std::string &content :
         {std::string("aGVsbG8"), std::string("aGVsb"), std::string("aGVs#bG8="),
          std::string("aGVsbG8=aGVsbG8="), std::string("garbage"), std::string("aGVsbG8=\0", 9),
          std::string("\0", 1), std::string("aGVs\0bG8=", 9), std::string("aGVsbG9="),
          std::string("\xEF\xBB\xBF") + "aGVsbG8=", std::string("=")}) {
        EXPECT_EQ("unreadable", valueIn(content)) << content;
        EXPECT_EQ("'" + bench.path(valueName(1)) +
                      "' is not base64; put the file right and reload, or set the value again",
                  whyUnreadable());
    }
}

TEST_F(DirectoryBackendTest, AValueFileThatCannotBeReadCostsTheValueOnly) {
    const std::string path = bench.path(valueName(1));
    const std::string remedy = "; put the file right and reload, or set the value again";
    bench.put(xmlName(1), textOf(definitionOf(1)));

    bench.disk.putDirectory(path);
    EXPECT_EQ("'" + path + "' is not a regular file" + remedy, whyUnreadable());
    bench.remove(valueName(1));
    bench.disk.putFifo(path);
    EXPECT_EQ("'" + path + "' is not a regular file" + remedy, whyUnreadable());
    bench.remove(valueName(1));
    bench.disk.putDanglingLink(path);
    EXPECT_EQ("cannot open '" + path + "': No such file or directory" + remedy, whyUnreadable());
    bench.put(valueName(1), base64("value"));
    faulty.fail(Operation::open, valueName(1), EACCES);
    EXPECT_EQ("cannot open '" + path + "': Permission denied" + remedy, whyUnreadable());
    EXPECT_EQ("=value", readOne().value);
}

TEST_F(DirectoryBackendTest, AMovedOrUnmountedDirectoryIsReadOnAndSaysSo) {
    bench.put(xmlName(1), textOf(definitionOf(1)));
    auto backend = bench.openBackend();
    ASSERT_EQ(0, bench.disk.rename(bench.disk.openDirectory("/"), "store", "elsewhere"));
    bench.disk.putDirectory("/store");
    EXPECT_THAT(uuidsOf(backend->list(Strays::told)), ElementsAre(uuidNumber(1)));
    EXPECT_THAT(
        bench.log.lines(),
        ElementsAre("warning: '/store' no longer leads to the directory that was opened at start; "
                    "put it back, or restart to use what is there now"));
}

TEST(DefinitionFileTextTest, IsTheDocumentClientsSee) {
    const SecretDefinition definition = described(definitionOf(1, "a<b"), "c\rd");
    EXPECT_EQ(textOf(definition), definitionFileText(definition));
}

TEST(DefinitionFileTextTest, ADefinitionThatLoadsIsWrittenHoweverLarge) {
    const SecretDefinition large = described(definitionOf(1), std::string(9'900'000, 'd'));
    EXPECT_EQ(textOf(large), definitionFileText(large));
}

TEST(DefinitionFileTextTest, ADefinitionThatWouldNotLoadAgainIsRefused) {
    const Raised expected{
        ErrorCode::configUnsupported,
        "the definition of secret '" + uuidNumber(1).toString() +
            "' is too large to be loaded again; shorten its description or usage to "
            "less than 10000000 bytes"};
    const std::string text(10'100'000, 'd');
    EXPECT_EQ(expected, raisedBy([&] {
                  static_cast<void>(definitionFileText(described(definitionOf(1), text)));
              }));
    EXPECT_EQ(expected,
              raisedBy([&] { static_cast<void>(definitionFileText(definitionOf(1, text))); }));
}

TEST(DefinitionFileTextTest, WhatIsNotRefusedLoadsAgain) {
    // Every character of the text takes six in the file.
    for (const std::size_t size : {1'000'000U, 9'000'000U}) {
        StoreBench bench;
        const SecretDefinition large = described(definitionOf(1), std::string(size, '"'));
        bench.put(xmlName(1), definitionFileText(large));
        EXPECT_EQ(large, bench.openBarrier()->read(uuidNumber(1))->definition);
    }
}

} // namespace
} // namespace keyhold
