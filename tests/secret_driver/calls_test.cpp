// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/calls.h"

#include "conf/secret_xml.h"
#include "remote/error_report.h"
#include "secret_driver/caller_memory.h"
#include "secret_driver/calls_fixture.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include <sys/utsname.h>

namespace keyhold {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Calls : public WithCalls {
  protected:
    [[nodiscard]] static std::string nodeName() {
        utsname names;
        return ::uname(&names) == 0 ? names.nodename : "";
    }
    [[nodiscard]] static std::string uuidText(const Handle &secret) {
        char text[VIR_UUID_STRING_BUFLEN] = {};
        virSecretGetUUIDString(secret.get(), text);
        return text;
    }
    /// What `call` raises: the text, with libvirt's own error where it has raised it.
    template <typename Call>
    static std::string refusal(const Call &call) {
        try {
            call();
        } catch (const ErrorAlreadyRaised &) {
            return lastError().message;
        } catch (const Error &error) {
            return error.fullText();
        }
        return "no error";
    }
};

constexpr const char *kRefused = "internal error: No access manager registered";

} // namespace

TEST_F(Calls, AHandleCarriesUuidAndUseOfTheSecret) {
    const Handle secret = define(1);
    EXPECT_EQ(uuidText(secret), uuidOf(1).toString());
    EXPECT_EQ(virSecretGetUsageType(secret.get()), VIR_SECRET_USAGE_TYPE_CEPH);
    EXPECT_STREQ(virSecretGetUsageID(secret.get()), "use 1");
}

TEST_F(Calls, ASecretIsFoundByUuidAndByUse) {
    define(1);
    define(2);
    const Handle byUuid(
        calls::lookupByUuid(*instance_, unrecorded_, connection_.get(), uuidOf(2).bytes().data()));
    const Handle byUse(calls::lookupByUsage(*instance_, unrecorded_, connection_.get(),
                                            VIR_SECRET_USAGE_TYPE_CEPH, "use 1"));
    EXPECT_EQ(uuidText(byUuid), uuidOf(2).toString());
    EXPECT_EQ(uuidText(byUse), uuidOf(1).toString());
}

TEST_F(Calls, WhatIsNotThereIsToldInTheWordsOfTheStockDriver) {
    const std::string noUuid = "no secret with matching uuid '" + uuidOf(1).toString() + "'";
    const auto uuid = uuidOf(1);
    EXPECT_EQ(refusal([&] {
                  (void)calls::lookupByUuid(*instance_, unrecorded_, connection_.get(),
                                            uuid.bytes().data());
              }),
              noUuid);
    EXPECT_EQ(refusal([&] {
                  (void)calls::lookupByUsage(*instance_, unrecorded_, connection_.get(),
                                             VIR_SECRET_USAGE_TYPE_CEPH, "use 1");
              }),
              "no secret with matching usage 'use 1'");
    EXPECT_EQ(refusal([&] { (void)get(1); }), noUuid);
    EXPECT_EQ(refusal([&] { set(1, "value"); }), noUuid);
    EXPECT_EQ(refusal([&] { (void)calls::xmlOf(*instance_, unrecorded_, handle(1).get()); }),
              noUuid);
    EXPECT_EQ(refusal([&] { calls::undefine(*instance_, unrecorded_, handle(1).get()); }), noUuid);
}

TEST_F(Calls, AValueComesBackByteForByte) {
    define(1);
    EXPECT_EQ(refusal([&] { (void)get(1); }),
              "secret '" + uuidOf(1).toString() + "' does not have a value");
    const std::string value("\0a value\xff", 9);
    set(1, value);
    EXPECT_EQ(get(1), value);
    set(1, "");
    EXPECT_THAT(refusal([&] { (void)get(1); }), HasSubstr("does not have a value"));
}

TEST_F(Calls, ThePrivateValueIsForTheDaemonAlone) {
    define(1, false, true);
    set(1, "value");
    asClient([&] { EXPECT_EQ(refusal([&] { (void)get(1); }), "secret is private"); });
    asDaemon([&] { EXPECT_EQ(get(1), "value"); });
}

TEST_F(Calls, AnUnreadableValueSaysWhyAndWhereThatWasFound) {
    define(1);
    set(1, "value");
    instance_.reset();
    std::ofstream(valueFile(1)) << "no base64 !";
    instance_ = start();
    try {
        (void)get(1);
        FAIL() << "was read";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::valueUnreadable);
        EXPECT_THAT(error.message(), HasSubstr("value of secret '" + uuidOf(1).toString() +
                                               "' is unreadable on host '" + nodeName() + "': '" +
                                               valueFile(1) + "' is not"));
        EXPECT_STREQ(error.place().file(), "src/seal/sealing_policy.cpp");
    }
}

TEST_F(Calls, TheDocumentIsThatOfTheDefinition) {
    const Handle secret = define(1);
    const CallerArray<char> xml(calls::xmlOf(*instance_, unrecorded_, secret.get()));
    EXPECT_EQ(xml.get(), formatSecretXml(cephOf(1)));
}

TEST_F(Calls, WatchersHearOfEachChangeOnce) {
    Watch watch(*instance_);
    const Handle secret = define(1);
    set(1, "value");
    calls::undefine(*instance_, unrecorded_, secret.get());
    Watch::deliver();
    EXPECT_THAT(watch.lines(), ElementsAre("1 defined", "1 undefined"));
}

TEST_F(Calls, AChangeThatFailsIsNoEvent) {
    define(1);
    Watch watch(*instance_);
    SecretDefinition other = cephOf(2);
    other.usage = cephOf(1).usage;
    EXPECT_THAT(
        refusal([&] { (void)calls::define(*instance_, unrecorded_, connection_.get(), other); }),
        HasSubstr("already defined for use with use 1"));
    Watch::deliver();
    EXPECT_THAT(watch.lines(), IsEmpty());
}

TEST_F(Calls, WhatLibvirtRefusesIsNotDoneAndItsErrorStays) {
    define(1);
    set(1, "value");
    Watch watch(*instance_);
    const auto file = std::filesystem::last_write_time(valueFile(1));
    const auto uuid = uuidOf(1);
    refuseEverything();
    const std::function<void()> calls[] = {
        [&] {
            (void)calls::lookupByUuid(*instance_, unrecorded_, connection_.get(),
                                      uuid.bytes().data());
        },
        [&] {
            (void)calls::lookupByUsage(*instance_, unrecorded_, connection_.get(),
                                       VIR_SECRET_USAGE_TYPE_CEPH, "use 1");
        },
        [&] { define(1); },
        [&] { define(2); },
        [&] { set(1, "other"); },
        [&] { (void)get(1); },
        [&] { (void)calls::xmlOf(*instance_, unrecorded_, handle(1).get()); },
        [&] { calls::undefine(*instance_, unrecorded_, handle(1).get()); },
    };
    for (const auto &call : calls) {
        virResetLastError();
        EXPECT_THROW(call(), ErrorAlreadyRaised);
        EXPECT_STREQ(lastError().message, kRefused);
    }
    Watch::deliver();
    EXPECT_THAT(watch.lines(), IsEmpty());
    EXPECT_EQ(instance_->store().all().size(), 1U);
    EXPECT_EQ(valueOf(*instance_, 1), "value");
    EXPECT_EQ(std::filesystem::last_write_time(valueFile(1)), file);
}

TEST_F(Calls, ARegistrationIsTakenBackWhereItIs) {
    const auto first = std::make_shared<Events>();
    const auto second = std::make_shared<Events>();
    const int id = second->add(
        connection_.get(), nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
        VIR_SECRET_EVENT_CALLBACK(+[](virConnectPtr, virSecretPtr, int, int, void *) {}), nullptr,
        nullptr);
    calls::deregister({first, second}, connection_.get(), id);
    EXPECT_FALSE(second->has(connection_.get(), id));
    EXPECT_THAT(refusal([&] {
                    calls::deregister({first, second}, connection_.get(), id);
                }),
                HasSubstr("could not find event callback"));
}

} // namespace keyhold
