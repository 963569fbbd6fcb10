// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance_fixture.h"

#include "seal/plain_of.h"

#include <cstdlib>
#include <span>

namespace keyhold {

namespace {

bool hasEventLoop() {
    static const bool isRegistered = virEventRegisterDefaultImpl() == 0;
    return isRegistered;
}

class SessionDirectories : public testing::Environment {
  public:
    void SetUp() override {
        setenv("XDG_CONFIG_HOME", (directory_.path() + "/config").c_str(), 1);
        setenv("XDG_RUNTIME_DIR", (directory_.path() + "/runtime").c_str(), 1);
    }
    [[nodiscard]] const std::string &path() const { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
};

auto *const sessionDirectories = static_cast<SessionDirectories *>(
    testing::AddGlobalTestEnvironment(new SessionDirectories)); // gtest deletes it

} // namespace

const std::string &sessionDirectory() {
    return sessionDirectories->path();
}

Uuid WithInstances::uuidOf(unsigned number) {
    std::array<std::uint8_t, Uuid::kSize> bytes{};
    bytes[0] = static_cast<std::uint8_t>(number);
    return Uuid(bytes);
}

SecretDefinition WithInstances::definitionOf(unsigned number, bool isEphemeral) {
    SecretDefinition definition;
    definition.uuid = uuidOf(number);
    definition.isEphemeral = isEphemeral;
    return definition;
}

void WithInstances::define(Instance &instance, const SecretDefinition &definition) {
    (void)instance.store().define(definition, allow);
    instance.announce();
}

void WithInstances::setValue(Instance &instance, unsigned number, const std::string &value) {
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(value.data());
    instance.store().setValue(uuidOf(number), {bytes, value.size()}, allow);
    instance.announce();
}

void WithInstances::undefine(Instance &instance, unsigned number) {
    instance.store().undefine(uuidOf(number), allow);
    instance.announce();
}

std::string WithInstances::valueOf(Instance &instance, unsigned number) {
    const RecordPtr record = instance.store().get(uuidOf(number));
    if (record->value.isUnreadable())
        return "unreadable";
    const ShieldedValue *shielded = record->value.shielded();
    if (!shielded)
        return "none";
    const std::vector<std::uint8_t> plain = plainOf(*shielded, uuidOf(number));
    return {plain.begin(), plain.end()};
}

void WithInstances::onInhibit(bool inhibit, void *opaque) {
    *static_cast<std::atomic<int> *>(opaque) += inhibit ? 1 : -1;
}

Watch::Watch(Instance &instance) : instance_(instance) {
    if (!hasEventLoop())
        throw std::runtime_error("no event loop");
    connection_.reset(virConnectOpen("test:///default"));
    id_ = instance.events()->add(connection_.get(), nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
                                 VIR_SECRET_EVENT_CALLBACK(onEvent), this, nullptr);
}

Watch::~Watch() {
    instance_.events()->remove(connection_.get(), id_);
    deliver();
}

void Watch::deliver() {
    int left = 2;
    const int timer = virEventAddTimeout(
        0, [](int, void *opaque) { --*static_cast<int *>(opaque); }, &left, nullptr);
    while (left > 0)
        virEventRunDefaultImpl();
    virEventRemoveTimeout(timer);
}

void Watch::onEvent(virConnectPtr, virSecretPtr secret, int event, int, void *opaque) {
    unsigned char uuid[VIR_UUID_BUFLEN] = {};
    virSecretGetUUID(secret, uuid);
    static_cast<Watch *>(opaque)->lines_.push_back(
        std::to_string(uuid[0]) + (event == VIR_SECRET_EVENT_DEFINED ? " defined" : " undefined"));
}

} // namespace keyhold
