// SPDX-License-Identifier: LGPL-2.1-or-later
// What changes leave in the directory. Interrupted ones: crash_test.cpp.
#include "directory/directory_backend.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "os/temporary_directory.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kQuarantined = valueName(1) + ".aside-1";

Value valueOf(const SecretDefinition &definition, const std::string &value) {
    return Value::of(ShieldedValue::seal(definition.uuid, bytes(value)));
}

class DirectoryBackendChangeTest : public testing::Test {
  protected:
    DirectoryBackendChangeTest() {
        bench.fileSystem = &faulty;
        barrier = bench.openBarrier();
    }

    void create(const SecretDefinition &definition) { barrier->create(definition, Value()); }
    void create(const SecretDefinition &definition, const std::string &value) {
        barrier->create(definition, valueOf(definition, value));
    }
    void set(const std::string &value) { barrier->setValue(definitionOf(1), bytes(value), {}); }
    void redefine(const SecretDefinition &definition) { barrier->redefine(definition, {}); }
    void removeValue() { barrier->removeValue(uuidNumber(1), {}); }
    void erase() { barrier->erase(uuidNumber(1), {}); }

    /// What becomes of secret 1, whose files came after the start, when a client defines it.
    std::string valueOfUnloaded(const std::string &xml, const std::string &value,
                                const SecretDefinition &definition) {
        const auto store = bench.start();
        bench.put(xmlName(1), xml);
        bench.put(valueName(1), value);
        store->define(definition, allow);
        return stateOf(*store, 1).value;
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<Barrier> barrier;
};

TEST_F(DirectoryBackendChangeTest, FilesHaveStocksNamesAndContents) {
    create(definitionOf(1, "one"));
    create(definitionOf(2), "value");
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), xmlName(2), valueName(2)));
    EXPECT_EQ(textOf(definitionOf(1, "one")), bench.content(xmlName(1)));
    EXPECT_EQ(base64("value"), bench.content(valueName(2)));
    EXPECT_TRUE(bench.disk.allSynced("/store"));
}

TEST_F(DirectoryBackendChangeTest, AValueWaitsUnderAPrivateNameForItsDefinition) {
    bench.disk.clearTrace();
    create(definitionOf(1), "value");
    const std::string awaiting =
        "/store/" + layout::awaitingValueName(uuidNumber(1), ValueFormat::plain,
                                              layout::hashOfDefinition(textOf(definitionOf(1))));
    const std::string staged =
        "/store/" + layout::definitionName(uuidNumber(1), layout::Stage::fresh);
    const std::string definition = "/store/" + xmlName(1);
    EXPECT_THAT(bench.disk.trace(),
                ElementsAre("sync /store", // once: nobody knows what an earlier process left
                            "create " + awaiting, "write " + awaiting, "sync " + awaiting,
                            "sync /store", "create " + staged, "write " + staged, "sync " + staged,
                            "link " + definition + " -> /store/" +
                                layout::definitionName(uuidNumber(1), layout::Stage::old) +
                                " = ENOENT",
                            "rename " + staged + " -> " + definition, "sync /store",
                            "rename " + awaiting + " -> /store/" + valueName(1), "sync /store"));
}

TEST_F(DirectoryBackendChangeTest, ADefinitionThatLeftStaysAsLongAsItsValueDoes) {
    create(definitionOf(1), "value");
    const std::string value =
        layout::valueName(uuidNumber(1), ValueFormat::plain, layout::Stage::leaving);
    const std::string definition = layout::definitionName(uuidNumber(1), layout::Stage::leaving);
    faulty.fail(Operation::unlink, value, EIO);
    erase();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(value, definition));
    // A tool defines it again, and the value is not of that definition.
    bench.put(xmlName(1), textOf(definitionOf(1)));
    EXPECT_TRUE(barrier->read(uuidNumber(1))->value.isNone());
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
}

TEST_F(DirectoryBackendChangeTest, AnOrphanValueIsQuarantinedAndNotAdopted) {
    bench.put(valueName(1), "an orphan");
    create(definitionOf(1));
    EXPECT_EQ("an orphan", bench.content(kQuarantined));
    EXPECT_THAT(bench.log.lines(), ElementsAre("warning: '" + bench.path(valueName(1)) +
                                               "' belonged to no secret; it is now '" +
                                               bench.path(kQuarantined) + "'"));
    EXPECT_EQ("none", bench.stateAfterStart().at(uuidNumber(1)).value);
}

TEST_F(DirectoryBackendChangeTest, OrphansOfOneUuidAreQuarantinedOneByOne) {
    for (const char *orphan : {"first", "second", "third"}) {
        bench.put(valueName(1), orphan);
        create(definitionOf(1), "value");
        erase();
    }
    EXPECT_EQ("first", bench.content(valueName(1) + ".aside-1"));
    EXPECT_EQ("second", bench.content(valueName(1) + ".aside-2"));
    EXPECT_EQ("third", bench.content(valueName(1) + ".aside-3"));
    EXPECT_EQ(3U, bench.names().size());
}

TEST_F(DirectoryBackendChangeTest, AnOrphanBesideANewValueIsQuarantinedToo) {
    bench.put(valueName(1), base64("orphan"));
    create(definitionOf(1), "value");
    EXPECT_EQ(base64("value"), bench.content(valueName(1)));
    EXPECT_EQ(base64("orphan"), bench.content(kQuarantined));
}

TEST_F(DirectoryBackendChangeTest, AnOrphanThatIsALinkOrADirectoryIsQuarantinedAsItIs) {
    bench.disk.putDanglingLink(bench.path(valueName(1)));
    bench.disk.putDirectory(bench.path(valueName(2)));
    create(definitionOf(1));
    create(definitionOf(2));
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), kQuarantined, xmlName(2),
                                                    valueName(2) + ".aside-1"));
}

TEST_F(DirectoryBackendChangeTest, TheValueOfASecretThatWasNotLoadedIsTakenOver) {
    EXPECT_EQ("=value", valueOfUnloaded(textOf(definitionOf(1, "one")), base64("value"),
                                        described(definitionOf(1, "one"), "new")));
    EXPECT_EQ(textOf(described(definitionOf(1, "one"), "new")), bench.content(xmlName(1)));
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
}

TEST_F(DirectoryBackendChangeTest, TheValueOfAPrivateSecretThatWasNotLoadedDoesNotBecomePublic) {
    SecretDefinition hidden = definitionOf(1, "one");
    hidden.isPrivate = true;
    EXPECT_EQ("none", valueOfUnloaded(textOf(hidden), base64("value"), definitionOf(1, "one")));
    EXPECT_EQ(base64("value"), bench.content(kQuarantined));
}

TEST_F(DirectoryBackendChangeTest, TheDamagedValueOfASecretThatWasNotLoadedStaysItsOwn) {
    EXPECT_EQ("unreadable", valueOfUnloaded(textOf(definitionOf(1)), "damaged", definitionOf(1)));
    EXPECT_EQ("damaged", bench.content(valueName(1)));
}

TEST_F(DirectoryBackendChangeTest, ADefinitionThatDoesNotLoadOwnsNoValue) {
    EXPECT_EQ("none", valueOfUnloaded("garbage", base64("value"), definitionOf(1)));
    EXPECT_EQ(base64("value"), bench.content(kQuarantined));
    EXPECT_EQ(textOf(definitionOf(1)), bench.content(xmlName(1)));
}

TEST_F(DirectoryBackendChangeTest, ALargeDefinitionIsRefusedBeforeAnythingIsTouched) {
    bench.put(valueName(1), "orphan");
    bench.disk.clearTrace();
    const SecretDefinition large = described(definitionOf(1), std::string(10'100'000, 'd'));
    EXPECT_EQ(ErrorCode::configUnsupported, raisedBy([&] { create(large); })->code);
    EXPECT_EQ(ErrorCode::configUnsupported, raisedBy([&] { redefine(large); })->code);
    EXPECT_THAT(bench.disk.trace(), IsEmpty());
    EXPECT_THAT(bench.names(), ElementsAre(valueName(1)));
}

TEST_F(DirectoryBackendChangeTest, ARedefinitionLeavesTheValueAlone) {
    create(definitionOf(1), "value");
    redefine(described(definitionOf(1), "new"));
    EXPECT_EQ(textOf(described(definitionOf(1), "new")), bench.content(xmlName(1)));
    EXPECT_EQ(base64("value"), bench.content(valueName(1)));
    EXPECT_EQ(2U, bench.names().size());
}

TEST_F(DirectoryBackendChangeTest, ARedefinitionOfWhatIsGoneSaysSoAndWritesNothing) {
    EXPECT_THROW(redefine(definitionOf(1)), ConflictError);
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(DirectoryBackendChangeTest, AValueIsReplacedAndRemoved) {
    create(definitionOf(1), "old");
    set("new");
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
    removeValue();
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    removeValue();
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
}

TEST_F(DirectoryBackendChangeTest, AValueThatIsSetLeavesADefinitionThatWasEditedByHand) {
    create(definitionOf(1), "old");
    const std::string edited = "<!-- mine -->\n" + textOf(definitionOf(1)) + "\n";
    bench.put(xmlName(1), edited);
    set("new");
    EXPECT_EQ(edited, bench.content(xmlName(1)));
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
}

TEST_F(DirectoryBackendChangeTest, AnUnreadableValueIsQuarantinedWhenItIsReplaced) {
    create(definitionOf(1));
    bench.put(valueName(1), "damaged");
    set("new");
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
    EXPECT_EQ("damaged", bench.content(kQuarantined));
    EXPECT_TRUE(bench.log.mentions("could not be read when its secret was changed; it is now '" +
                                   bench.path(kQuarantined)));
}

TEST_F(DirectoryBackendChangeTest, AnUnreadableValueIsQuarantinedWhenItIsRemoved) {
    create(definitionOf(1));
    bench.put(valueName(1), "damaged");
    removeValue();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), kQuarantined));
    EXPECT_EQ("damaged", bench.content(kQuarantined));
}

TEST_F(DirectoryBackendChangeTest, AnUnreadableValueIsQuarantinedWhereThereAreNoHardLinks) {
    create(definitionOf(1));
    bench.put(valueName(1), "damaged");
    faulty.fail(Operation::link, "", EPERM, FaultyFileSystem::kAlways);
    set("new");
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
    EXPECT_EQ("damaged", bench.content(kQuarantined));
}

TEST_F(DirectoryBackendChangeTest, ADirectoryInPlaceOfAValueIsQuarantined) {
    create(definitionOf(1));
    bench.disk.putFile(bench.path(valueName(1)) + "/inside", "somebody's");
    set("new");
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
    EXPECT_EQ("somebody's", bench.content(kQuarantined + "/inside"));
}

TEST_F(DirectoryBackendChangeTest, AnUnreadableValueThatCouldNotBeReplacedStaysWhereItIs) {
    create(definitionOf(1));
    for (const bool hasLinks : {true, false}) {
        for (const char *what : {"rename", "sync"}) {
            bench.put(valueName(1), "damaged");
            if (!hasLinks)
                faulty.fail(Operation::link, "", EPERM, FaultyFileSystem::kAlways);
            if (std::string_view(what) == "rename")
                faulty.fail(Operation::rename, "new -> " + valueName(1), EIO);
            else
                faulty.fail(Operation::sync, "new", EIO);
            EXPECT_THROW(set("new"), Error);
            faulty.clearFaults();
            EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
            EXPECT_EQ("damaged", bench.content(valueName(1))) << what << hasLinks;
        }
    }
}

TEST_F(DirectoryBackendChangeTest, RemovingASecretLeavesNothingOfIt) {
    create(definitionOf(1), "value");
    create(definitionOf(2), "other");
    erase();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(2), valueName(2)));
    erase();
    EXPECT_EQ(2U, bench.names().size());
}

TEST_F(DirectoryBackendChangeTest, ARemovalThatFailsGivesEveryValueItsNameBackAtOnce) {
    using Effect = FaultyFileSystem::Effect;
    create(definitionOf(1), "value");
    bench.put(valueName(1, ValueFormat::aes256cbc), "another");
    for (const std::string &name :
         {valueName(1), valueName(1, ValueFormat::aes256cbc), xmlName(1)}) {
        for (const Effect effect : {Effect::none, Effect::done}) {
            faulty.fail(Operation::rename, name + " -> ", EIO, 1, effect);
            EXPECT_THROW(erase(), Error);
            faulty.clearFaults();
            // Later changes look at these names alone.
            EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1),
                                                            valueName(1, ValueFormat::aes256cbc)))
                << name << (effect == Effect::done ? ", done all the same" : "");
        }
    }
}

TEST_F(DirectoryBackendChangeTest, AValueWithASecondNameOfAFailedChangeIsRemoved) {
    create(definitionOf(1), "value");
    const std::string old =
        layout::valueName(uuidNumber(1), ValueFormat::plain, layout::Stage::old);
    faulty.fail(Operation::link, old, EIO, 1, FaultyFileSystem::Effect::done);
    faulty.fail(Operation::rename, "new -> " + valueName(1), EIO);
    EXPECT_THROW(set("new"), Error);
    EXPECT_EQ(bench.content(old), bench.content(valueName(1)));
    removeValue();
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
}

TEST_F(DirectoryBackendChangeTest, FilesRemovedByHandAreNoReasonToRefuseARemoval) {
    create(definitionOf(1), "value");
    bench.remove(xmlName(1));
    erase();
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(DirectoryBackendChangeTest, SettingAValueBringsADeletedDefinitionBack) {
    create(definitionOf(1), "old");
    bench.remove(xmlName(1));
    bench.remove(valueName(1));
    set("new");
    EXPECT_EQ(textOf(definitionOf(1)), bench.content(xmlName(1)));
    EXPECT_EQ(base64("new"), bench.content(valueName(1)));
}

TEST_F(DirectoryBackendChangeTest, WhereNoStartWouldLookNothingIsWritten) {
    create(definitionOf(1), "value");
    const auto refuse = [&](const std::string &why) {
        bench.disk.clearTrace();
        const Raised expected{
            ErrorCode::internal,
            "'/store' no longer leads to the directory that was opened at start; put it "
            "back, or restart to use what is there now"};
        EXPECT_EQ(expected, raisedBy([&] { create(definitionOf(2)); })) << why;
        EXPECT_EQ(expected, raisedBy([&] { redefine(described(definitionOf(1), "x")); }));
        EXPECT_EQ(expected, raisedBy([&] { set("x"); }));
        EXPECT_EQ(expected, raisedBy([&] { removeValue(); }));
        EXPECT_EQ(expected, raisedBy([&] { erase(); }));
        EXPECT_THAT(bench.disk.trace(), IsEmpty());
    };
    ASSERT_EQ(0, bench.disk.rename(bench.disk.openDirectory("/"), "store", "elsewhere"));
    refuse("the directory was moved");
    bench.disk.putDirectory("/store");
    refuse("another directory took its place");
    bench.disk.removeAll("/store");
    ASSERT_EQ(0, bench.disk.rename(bench.disk.openDirectory("/"), "elsewhere", "store"));
    set("x");
    bench.disk.removeAll("/store");
    refuse("the directory was removed");
}

TEST(DirectoryBackendOnTheKernelTest, FilesArePrivateAndDirectoriesKeepTheirMode) {
    const TemporaryDirectory temporary;
    ASSERT_EQ(0, ::chmod(temporary.path().c_str(), 0770));
    RecordingAdminLog log;
    Barrier barrier(std::make_shared<DirectoryBackend>(
                        std::make_unique<StoreDirectory>(posixFileSystem(), temporary.path()), log),
                    std::make_shared<CurrentPolicy>());
    const mode_t before = ::umask(0);
    barrier.create(definitionOf(1), valueOf(definitionOf(1), "value"));
    barrier.setValue(definitionOf(1), bytes("new"), {});
    barrier.redefine(described(definitionOf(1), "new"), {});
    ::umask(before);
    struct stat status;
    for (const std::string &name : {xmlName(1), valueName(1)}) {
        ASSERT_EQ(0, ::stat((temporary.path() + "/" + name).c_str(), &status));
        EXPECT_EQ(S_IFREG | mode_t{0600}, status.st_mode) << name;
        EXPECT_EQ(1U, status.st_nlink) << name;
    }
    ASSERT_EQ(0, ::stat(temporary.path().c_str(), &status));
    EXPECT_EQ(S_IFDIR | mode_t{0770}, status.st_mode);
}

TEST(DirectoryBackendOnTheKernelTest, ALinkedDefinitionIsReadAndReplacedByAFileOfItsOwn) {
    const TemporaryDirectory temporary;
    RecordingAdminLog log;
    Barrier barrier(std::make_shared<DirectoryBackend>(
                        std::make_unique<StoreDirectory>(posixFileSystem(), temporary.path()), log),
                    std::make_shared<CurrentPolicy>());
    const std::string path = temporary.path() + "/" + xmlName(1);
    barrier.create(definitionOf(1), Value());
    std::filesystem::rename(path, temporary.path() + "/kept elsewhere");
    std::filesystem::create_symlink("kept elsewhere", path);
    EXPECT_EQ(definitionOf(1), barrier.read(uuidNumber(1))->definition);
    barrier.redefine(described(definitionOf(1), "new"), {});
    EXPECT_FALSE(std::filesystem::is_symlink(path));
    EXPECT_EQ(textOf(definitionOf(1)).size(),
              std::filesystem::file_size(temporary.path() + "/kept elsewhere"));
}

} // namespace
} // namespace keyhold
