// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup.h"
#include "command/json_of.h"
#include "command/restore.h"
#include "command/stop_advice.h"
#include "command/store_on_disk.h"
#include "conf/error.h"
#include "os/temporary_directory.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RestoreTest : public testing::Test {
  protected:
    RestoreTest() {
        from.configure(from.keyLine(7));
        to.configure(to.keyLine(7));
        options.target = to.choice();
        options.json = true;
        options.file = folder.path() + "/archive.tar";
        options.applies = true;
        options.isStopped = [] { return false; };
    }
    void backUp() {
        testing::internal::CaptureStdout();
        static_cast<void>(backup({.target = from.choice(),
                                  .keyFiles = {},
                                  .json = true,
                                  .file = options.file,
                                  .withPlain = true,
                                  .replacesFile = true,
                                  .isStopped = [] { return false; }}));
        testing::internal::GetCapturedStdout();
    }
    Exit run() {
        return runForJson([&] { return restore(options); }, said);
    }
    std::string refusal() {
        try {
            run();
        } catch (const Error &error) {
            return error.fullText();
        }
        return "none";
    }
    [[nodiscard]] std::string actionOf(int n) const {
        for (const Json &each : said["secrets"]) {
            if (each["uuid"] == StoreOnDisk::uuid(n).toString())
                return each["action"];
        }
        return "none";
    }
    static std::string definition(int n, const std::string &use, const std::string &more = "") {
        return "<secret><uuid>" + StoreOnDisk::uuid(n).toString() + "</uuid>" + more +
               "<usage type='ceph'><name>" + use + "</name></usage></secret>";
    }
    [[nodiscard]] std::string file(int n, const std::string &suffix) {
        return to.files()[StoreOnDisk::nameOf(n, suffix)];
    }
    [[nodiscard]] bool has(const std::string &name) { return to.files().contains(name); }

    StoreOnDisk from;
    StoreOnDisk to;
    TemporaryDirectory folder;
    RestoreOptions options;
    Json said;
};

TEST_F(RestoreTest, PlainValuesOfAHostThatEncryptsAreToBeSealed) {
    from.addPlain(1, "one");
    backUp();
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(said["unsealed"], 1);
    to.configure("");
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["unsealed"], 0);
}

TEST_F(RestoreTest, GivesTheSameValuesByteForByte) {
    from.addSealed(1, "one", 7);
    from.addPlain(2, "two");
    from.define(3);
    backUp();
    to.configure(to.keyLine(7) + "encrypt_data = 0\n");
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["written"], 3);
    EXPECT_EQ(file(1, "jwe"), from.files()[StoreOnDisk::nameOf(1, "jwe")]);
    EXPECT_EQ(file(2, "base64"), from.files()[StoreOnDisk::nameOf(2, "base64")]);
    EXPECT_EQ(to.files().size(), 5u);
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["written"], 0);
    EXPECT_EQ(actionOf(1) + actionOf(2) + actionOf(3), "samesamesame");
}

TEST_F(RestoreTest, ShowsAndChangesNothingUnlessItIsToldTo) {
    from.addSealed(1, "one", 7);
    to.define(2);
    backUp();
    options.applies = false;
    const auto before = to.files();
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(actionOf(1), "new");
    EXPECT_EQ(said["storeAlone"], Json({StoreOnDisk::uuid(2).toString()}));
    EXPECT_EQ(said["applied"], false);
    EXPECT_EQ(to.files(), before);
}

TEST_F(RestoreTest, AValueThatWasSealedAgainIsTheSame) {
    from.addSealed(1, "one", 8);
    backUp();
    to.configure(to.keyLine(7) + "secrets_decryption_keys = [\"" + to.keyFile(8) + "\"]\n");
    to.addSealed(1, "one", 7);
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(actionOf(1), "same");
    to.addSealed(1, "another", 7);
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(actionOf(1), "keep");
}

TEST_F(RestoreTest, ASecretThatDiffersStaysUnlessItIsToGo) {
    from.addSealed(1, "one", 7);
    from.addSealed(2, "two", 7);
    backUp();
    to.addSealed(1, "another", 7);
    const std::string before = file(1, "jwe");
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(said["written"], 1);
    EXPECT_EQ(file(1, "jwe"), before);
    options.replaces = true;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(file(1, "jwe"), from.files()[StoreOnDisk::nameOf(1, "jwe")]);
    EXPECT_EQ(to.files().size(), 4u);
}

TEST_F(RestoreTest, EachPartIsReplacedThatDiffers) {
    from.addSealed(1, "one", 7);
    from.put(StoreOnDisk::nameOf(1, "xml"), definition(1, "use 1", "<description>d</description>"));
    from.define(2);
    from.addSealed(3, "three", 7);
    from.put(StoreOnDisk::nameOf(3, "xml"), definition(3, "another use"));
    backUp();
    options.replaces = true;
    to.addSealed(1, "one", 7);
    to.addSealed(2, "two", 7);
    to.addSealed(3, "old", 7);
    const std::string sealed = file(1, "jwe");
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["secrets"][0]["differs"], Json({"definition"}));
    EXPECT_EQ(said["secrets"][1]["differs"], Json({"value"}));
    EXPECT_EQ(said["secrets"][2]["differs"], Json({"definition", "value"}));
    EXPECT_THAT(file(1, "xml"), HasSubstr("<description>d<"));
    EXPECT_EQ(file(1, "jwe"), sealed);
    EXPECT_FALSE(has(StoreOnDisk::nameOf(2, "jwe")));
    EXPECT_THAT(file(3, "xml"), HasSubstr("another use"));
    EXPECT_EQ(file(3, "jwe"), from.files()[StoreOnDisk::nameOf(3, "jwe")]);
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["written"], 0);
}

TEST_F(RestoreTest, WhatNobodyHereCanReadIsQuarantined) {
    from.addSealed(1, "one", 7);
    backUp();
    to.addSealed(1, "of another key", 9);
    const std::string before = file(1, "jwe");
    options.replaces = true;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(file(1, "jwe.aside-1"), before);
}

TEST_F(RestoreTest, TwoSecretsOfOneUseAreRefusedBeforeAnythingIsWritten) {
    from.addSealed(1, "one", 7);
    from.addSealed(2, "two", 7);
    backUp();
    to.put(StoreOnDisk::nameOf(9, "xml"), definition(9, "use 2"));
    const auto before = to.files();
    EXPECT_EQ(run(), Exit::failure);
    EXPECT_THAT(said["conflicts"][0].get<std::string>(),
                AllOf(HasSubstr(StoreOnDisk::uuid(2).toString()), HasSubstr("'use 2'"),
                      HasSubstr(StoreOnDisk::uuid(9).toString())));
    EXPECT_EQ(to.files(), before);
    options.uuids = {StoreOnDisk::uuid(1).toString()};
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(actionOf(1) + " " + actionOf(2), "new unwanted");
    EXPECT_TRUE(has(StoreOnDisk::nameOf(1, "jwe")));
    EXPECT_FALSE(has(StoreOnDisk::nameOf(2, "jwe")));
}

TEST_F(RestoreTest, AUseThatChangesHandsInTheArchiveIsFree) {
    from.put(StoreOnDisk::nameOf(1, "xml"), definition(1, "b"));
    from.put(StoreOnDisk::nameOf(2, "xml"), definition(2, "a"));
    backUp();
    to.put(StoreOnDisk::nameOf(1, "xml"), definition(1, "a"));
    to.put(StoreOnDisk::nameOf(2, "xml"), definition(2, "b"));
    options.replaces = true;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_THAT(file(1, "xml"), HasSubstr(">b<"));
    EXPECT_THAT(file(2, "xml"), HasSubstr(">a<"));
}

TEST_F(RestoreTest, TwoInTheArchiveOfOneUseAreRefusedToo) {
    from.put(StoreOnDisk::nameOf(1, "xml"), definition(1, "a"));
    from.put(StoreOnDisk::nameOf(2, "xml"), definition(2, "a"));
    backUp();
    EXPECT_EQ(run(), Exit::failure);
    EXPECT_EQ(said["conflicts"].size(), 1u);
    EXPECT_TRUE(to.files().empty());
}

TEST_F(RestoreTest, AStoreInUseIsLookedAtAndNotChanged) {
    from.addSealed(1, "one", 7);
    backUp();
    const LockingProcess holder(to.target().paths.stateDirectory);
    EXPECT_THAT(refusal(), AllOf(HasSubstr("process " + std::to_string(holder.pid())),
                                 HasSubstr("end it first")));
    EXPECT_TRUE(to.files().empty());
    options.applies = false;
    EXPECT_EQ(run(), Exit::clean);
}

TEST_F(RestoreTest, OneThatWasStoppedGoesOn) {
    for (int n = 1; n <= 5; ++n)
        from.addSealed(n, "value", 7);
    backUp();
    int asked = 0;
    options.isStopped = [&] { return ++asked > 2; };
    EXPECT_EQ(run(), Exit::failure);
    EXPECT_EQ(said["written"], 2);
    EXPECT_EQ(to.files().size(), 4u);
    options.isStopped = [] { return false; };
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["written"], 3);
}

TEST_F(RestoreTest, KeysThatAreNotHereAreNamed) {
    from.addSealed(1, "one", 7);
    from.addSealed(2, "two", 7);
    from.addSealed(3, "three", 8);
    backUp();
    to.configure(to.keyLine(8));
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(said["unopened"], Json({{keyIdOf(7), 2}}));
    EXPECT_EQ(said["written"], 3);
}

TEST_F(RestoreTest, AStoreIsMadeForAGoodArchiveAlone) {
    from.addSealed(1, "one", 7);
    backUp();
    std::filesystem::remove(to.secrets());
    const std::string good = options.file;
    options.file = folder.path() + "/bad.tar";
    std::filesystem::copy(good, options.file);
    std::filesystem::resize_file(options.file, 2000);
    EXPECT_THAT(refusal(), HasSubstr("cut off"));
    EXPECT_FALSE(std::filesystem::exists(to.secrets()));
    options.file = good;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(to.files().size(), 2u);
    options.target.roots = {folder.path() + "/mistyped"};
    EXPECT_THAT(refusal(), HasSubstr("mistyped"));
    EXPECT_FALSE(std::filesystem::exists(options.target.roots[0]));
}

TEST_F(RestoreTest, AUuidThatIsNotThereIsAnError) {
    from.define(1);
    backUp();
    options.uuids = {StoreOnDisk::uuid(2).toString()};
    EXPECT_THAT(refusal(), HasSubstr("there is no secret"));
    options.uuids = {"x"};
    EXPECT_THAT(refusal(), HasSubstr("'x' is not a uuid"));
}

TEST(StopAdvice, NamesTheServiceWithItsSockets) {
    EXPECT_EQ(serviceIn("0::/system.slice/libvirtd.service\n"), "libvirtd");
    EXPECT_EQ(serviceIn("1:name=systemd:/system.slice/keyhold-secretd.service/x\n0::/\n"),
              "keyhold-secretd");
    EXPECT_EQ(serviceIn("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n"),
              "");
    EXPECT_EQ(serviceIn("0::/system.slice/system-x.slice/x.service\n"), "");
    EXPECT_EQ(serviceIn("0::/\n"), "");
    Target target{Target::Kind::system, {}, {}};
    Holder holder;
    holder.name = "virtsecretd";
    EXPECT_EQ(stopAdvice(target, holder),
              "stop it first: systemctl stop virtsecretd.service 'virtsecretd*.socket'");
    holder.name = "python3";
    EXPECT_EQ(stopAdvice(target, holder), "end it first");
}

} // namespace
} // namespace keyhold::command
