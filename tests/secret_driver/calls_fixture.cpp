// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/calls_fixture.h"

#include "secret_driver/caller_memory.h"

#include <thread>

namespace keyhold {

namespace {

void setAccessManager(void *manager) {
    privateFunction<void(void *)>("virAccessManagerSetDefault")(manager);
}

void withIdentity(const char *maker, const std::function<void()> &body) {
    const auto setCurrent = privateFunction<int(void *)>("virIdentitySetCurrent");
    void *identity = privateFunction<void *()>(maker)();
    ASSERT_NE(identity, nullptr);
    std::thread([&] { // identities belong to threads
        ASSERT_EQ(setCurrent(identity), 0);
        EXPECT_NO_THROW(body());
        ASSERT_EQ(setCurrent(nullptr), 0);
    })
        .join();
    privateFunction<void(void *)>("g_object_unref")(identity);
}

} // namespace

void WithCalls::SetUp() {
    WithInstances::SetUp();
    void *manager = privateFunction<void *(const char *)>("virAccessManagerNew")("none");
    ASSERT_NE(manager, nullptr);
    setAccessManager(manager); // which takes a reference
    privateFunction<void(void *)>("virObjectUnref")(manager);
    connection_.reset(virConnectOpen("test:///default"));
    ASSERT_NE(connection_, nullptr);
    instance_ = start();
}

void WithCalls::TearDown() {
    instance_.reset();
    setAccessManager(nullptr);
    WithInstances::TearDown();
}

void WithCalls::refuseEverything() {
    setAccessManager(nullptr);
}

void WithCalls::asClient(const std::function<void()> &body) {
    withIdentity("virIdentityNew", body);
}

void WithCalls::asDaemon(const std::function<void()> &body) {
    withIdentity("virIdentityGetSystem", body);
}

SecretDefinition WithCalls::cephOf(unsigned number) {
    SecretDefinition definition = definitionOf(number);
    definition.usage = {UsageType::ceph, "use " + std::to_string(number)};
    return definition;
}

Handle WithCalls::define(unsigned number, bool isEphemeral, bool isPrivate) {
    SecretDefinition definition = cephOf(number);
    definition.isEphemeral = isEphemeral;
    definition.isPrivate = isPrivate;
    return Handle(calls::define(*instance_, unrecorded_, connection_.get(), definition));
}

Handle WithCalls::handle(unsigned number) const {
    const SecretDefinition definition = cephOf(number);
    return Handle(abi::symbols().virGetSecret(connection_.get(), definition.uuid.bytes().data(),
                                              static_cast<int>(definition.usage.type),
                                              definition.usage.id.c_str()));
}

void WithCalls::set(unsigned number, const std::string &value) {
    calls::setValue(*instance_, unrecorded_, handle(number).get(),
                    {reinterpret_cast<const std::uint8_t *>(value.data()), value.size()});
}

std::string WithCalls::get(unsigned number) {
    std::size_t size = 0;
    const CallerArray<unsigned char> value(
        calls::valueOf(*instance_, unrecorded_, handle(number).get(), size));
    return {reinterpret_cast<const char *>(value.get()), size};
}

std::string WithCalls::valueFile(unsigned number) const {
    return paths().configDirectory + "/" + uuidOf(number).toString() + ".base64";
}

} // namespace keyhold
