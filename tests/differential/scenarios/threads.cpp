// SPDX-License-Identifier: LGPL-2.1-or-later
// Several threads on one connection. What each call returns is left to chance; what must hold is
// that no call fails without a reason, and that memory, disk and the last event of each secret
// agree.
#include "files.h"
#include "phase.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace keyhold {

namespace {

constexpr unsigned kThreads = 8;
constexpr unsigned kSecrets = 4;
constexpr unsigned kRounds = 250;

/// What threads found, to be noted when they are done.
class Findings {
  public:
    void failure() {
        virErrorPtr error = virGetLastError();
        // Another thread undefined it, or gave it no value yet.
        if (error && error->code == VIR_ERR_NO_SECRET)
            return;
        std::lock_guard lock(lock_);
        unexpected_.insert(describeError());
    }
    [[nodiscard]] std::string unexpected() const {
        std::string text;
        for (const std::string &error : unexpected_)
            text += (text.empty() ? "" : ", ") + error;
        return text.empty() ? "none failed without a reason" : text;
    }

  private:
    mutable std::mutex lock_;
    std::set<std::string> unexpected_;
};

void work(virConnectPtr connection, unsigned thread, bool withEphemeral, Findings &findings) {
    std::minstd_rand random(thread + 1);
    for (unsigned round = 0; round < kRounds; round++) {
        unsigned number = 1 + static_cast<unsigned>(random()) % kSecrets;
        std::string uuid = chosenUuid(number);
        unsigned choice = static_cast<unsigned>(random()) % 8;
        if (choice < 3) {
            bool ephemeral = withEphemeral && choice == 2;
            std::string xml = toXml({.uuid = uuid,
                                     .type = "ceph",
                                     .id = "n" + std::to_string(number),
                                     .ephemeral = ephemeral ? "yes" : "no"});
            if (!Secret(virSecretDefineXML(connection, xml.c_str(), 0)))
                findings.failure();
            continue;
        }
        Secret secret(virSecretLookupByUUIDString(connection, uuid.c_str()));
        if (!secret) {
            findings.failure();
            continue;
        }
        if (choice < 5) {
            std::string value = "value " + std::to_string(thread) + "." + std::to_string(round);
            if (virSecretSetValue(secret.get(),
                                  reinterpret_cast<const unsigned char *>(value.data()),
                                  value.size(), 0) < 0)
                findings.failure();
        } else if (choice < 7) {
            std::size_t size = 0;
            unsigned char *value = virSecretGetValue(secret.get(), &size, 0);
            if (!value)
                findings.failure();
            std::free(value);
        } else if (virSecretUndefine(secret.get()) < 0) {
            findings.failure();
        }
    }
}

/// The persistent secrets with their values, as a text to compare.
std::string snapshot(virConnectPtr connection) {
    std::map<std::string, std::string> found;
    for (unsigned number = 1; number <= kSecrets; number++) {
        std::string uuid = chosenUuid(number);
        Secret secret(virSecretLookupByUUIDString(connection, uuid.c_str()));
        char *xml = secret ? virSecretGetXMLDesc(secret.get(), 0) : nullptr;
        std::string text = xml ? xml : "";
        std::free(xml);
        if (text.empty() || text.find("ephemeral='yes'") != std::string::npos)
            continue;
        std::size_t size = 0;
        unsigned char *value = virSecretGetValue(secret.get(), &size, 0);
        found[uuid] = text + "value: " +
                      (value ? std::string(reinterpret_cast<char *>(value), size) : "none");
        std::free(value);
    }
    std::string out;
    for (const auto &[uuid, text] : found)
        out += uuid + "\n" + text + "\n";
    return out;
}

/// For each secret whether the last lifecycle event said that it is there.
using LastEvents = std::map<std::string, bool>;

void onLifecycle(virConnectPtr, virSecretPtr secret, int event, int, void *opaque) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    virSecretGetUUIDString(secret, uuid);
    (*static_cast<LastEvents *>(opaque))[uuid] = event == VIR_SECRET_EVENT_DEFINED;
}

std::string compareEvents(virConnectPtr connection, const LastEvents &events) {
    for (const auto &[uuid, defined] : events) {
        bool there = Secret(virSecretLookupByUUIDString(connection, uuid.c_str())) != nullptr;
        if (there != defined)
            return "differ";
    }
    return "agree";
}

PhaseFunction mixed(bool withEphemeral) {
    return [withEphemeral](Phase &phase) {
        phase.open();
        auto last = std::make_unique<LastEvents>();
        int callback = phase.attempt("register", [&] {
            return virConnectSecretEventRegisterAny(
                phase.connection(), nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
                reinterpret_cast<virConnectSecretEventGenericCallback>(
                    reinterpret_cast<void (*)()>(onLifecycle)),
                last.get(), nullptr);
        });
        Findings findings;
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < kThreads; i++) {
            threads.emplace_back([&, i] { work(phase.connection(), i, withEphemeral, findings); });
        }
        for (std::thread &thread : threads)
            thread.join();
        phase.pumpEvents();
        phase.note("calls", findings.unexpected());
        phase.note("memory and last events", compareEvents(phase.connection(), *last));
        virConnectSecretEventDeregisterAny(phase.connection(), callback);
        phase.pumpEvents();
        writeFile(phase.scratch("snapshot"), snapshot(phase.connection()));
    };
}

void compare(Phase &phase) {
    phase.open();
    bool same = snapshot(phase.connection()) == readFile(phase.scratch("snapshot"));
    phase.note("memory before and after the restart", same ? "agree" : "differ");
    for (unsigned number = 1; number <= kSecrets; number++) {
        std::string uuid = chosenUuid(number);
        Secret secret(virSecretLookupByUUIDString(phase.connection(), uuid.c_str()));
        if (secret)
            virSecretUndefine(secret.get());
    }
    phase.secretFiles("files after undefining all");
}

} // namespace

std::vector<Scenario> threadScenarios() {
    return {{"threads.mixed", {mixed(false), compare}},
            {"threads.mixed-ephemeral", {mixed(true), compare}}};
}

} // namespace keyhold
