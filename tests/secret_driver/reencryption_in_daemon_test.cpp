// SPDX-License-Identifier: LGPL-2.1-or-later
// A daemon's instance that re-encrypts its values on a disk that takes its time.
#include "secret_driver/instance_fixture.h"
#include "secret_driver/sync_gate.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

constexpr unsigned kSecrets = 3;

class ReencryptionInDaemon : public WithInstances {
  protected:
    void SetUp() override {
        WithInstances::SetUp();
        fs::create_directories(paths().configDirectory);
        useKey(1);
        const auto instance = start();
        for (unsigned n = 1; n <= kSecrets; ++n) {
            define(*instance, definitionOf(n));
            setValue(*instance, n, "value");
        }
        before_ = values();
        ASSERT_EQ(before_.size(), kSecrets);
    }

    /// secret.conf: key `number` seals, and those below it open.
    void useKey(unsigned number) {
        std::string text =
            "encrypt_data = 1\nsecrets_encryption_key = \"" + keyFile(number) + "\"\n";
        text += "secrets_decryption_keys = [";
        for (unsigned earlier = 1; earlier < number; ++earlier)
            text += (earlier > 1 ? ", \"" : "\"") + keyFile(earlier) + "\"";
        text += "]\n";
        std::ofstream(paths().settingsFile) << text;
        fs::permissions(paths().settingsFile, fs::perms{0600});
    }

    /// The value files and what they hold.
    [[nodiscard]] std::map<std::string, std::string> values() const {
        std::map<std::string, std::string> out;
        for (const auto &entry : fs::directory_iterator(paths().configDirectory)) {
            std::ifstream file(entry.path());
            if (entry.path().extension() != ".xml")
                out[entry.path().filename()] = std::string(std::istreambuf_iterator(file), {});
        }
        return out;
    }
    /// How many of them have been written since the test began.
    [[nodiscard]] unsigned written() const {
        const auto now = values();
        unsigned count = 0;
        for (const auto &[name, content] : before_)
            count += now.at(name) == content ? 0 : 1;
        return count;
    }
    static void awaitNoHold(const std::atomic<int> &calls) {
        for (int seen = calls; seen % 2 != 0; seen = calls)
            calls.wait(seen);
    }

    /// Libvirt's count, which never gets the same twice.
    std::atomic<int> calls_{0};
    Inhibitor host_{[](bool inhibit, void *opaque) {
                        auto &calls = *static_cast<std::atomic<int> *>(opaque);
                        EXPECT_EQ(calls % 2 == 0, inhibit);
                        ++calls;
                        calls.notify_all();
                    },
                    &calls_};

  private:
    [[nodiscard]] std::string keyFile(unsigned number) const {
        std::string path = directory_.path() + "/key" + std::to_string(number);
        std::ofstream(path) << std::string(32, static_cast<char>(number));
        fs::permissions(path, fs::perms{0600});
        return path;
    }

    std::map<std::string, std::string> before_;
};

} // namespace

TEST_F(ReencryptionInDaemon, AReloadDoesNotWaitForIt) {
    Instance instance(paths(), host_);
    {
        const Watch watch(instance);
        const std::string uuid = uuidOf(9).toString();
        std::ofstream(paths().configDirectory + "/" + uuid + ".xml")
            << "<secret><uuid>" << uuid << "</uuid></secret>";
        useKey(2);
        SyncGate gate;
        instance.reload();
        SyncGate::awaitArrival();
        Watch::deliver();
        EXPECT_EQ(watch.lines(), std::vector<std::string>{"9 defined"});
        EXPECT_EQ(written(), 0U);
        EXPECT_EQ(calls_, 1) << "the daemon does not end for idleness";
        EXPECT_EQ(valueOf(instance, 1), "value");
    }
    awaitNoHold(calls_);
    EXPECT_EQ(calls_, 2);
    EXPECT_EQ(written(), kSecrets);
}

TEST_F(ReencryptionInDaemon, AStartDoesNotWaitForIt) {
    useKey(2);
    std::optional<Instance> instance;
    {
        SyncGate gate;
        instance.emplace(paths(), host_);
        SyncGate::awaitArrival();
        EXPECT_EQ(calls_, 1);
    }
    awaitNoHold(calls_);
    EXPECT_EQ(written(), kSecrets);
}

TEST_F(ReencryptionInDaemon, ASecondReloadBesideItIsServed) {
    Instance instance(paths(), host_);
    useKey(2);
    std::future<void> second;
    {
        SyncGate gate;
        instance.reload();
        SyncGate::awaitArrival();
        useKey(3);
        second = std::async(std::launch::async, [&] { instance.reload(); });
    }
    second.get();
    awaitNoHold(calls_);
    instance.end();
    EXPECT_EQ(written(), kSecrets);
    for (unsigned n : {1U, 2U})
        fs::remove(directory_.path() + "/key" + std::to_string(n));
    instance.reload();
    EXPECT_EQ(valueOf(instance, 1), "value") << "all of it is under the third key";
}

TEST_F(ReencryptionInDaemon, OneHoldIsForThatAndForEphemeralSecrets) {
    Instance instance(paths(), host_);
    useKey(2);
    {
        SyncGate gate;
        instance.reload();
        SyncGate::awaitArrival();
        define(instance, definitionOf(9, true));
        EXPECT_EQ(calls_, 1);
    }
    while (written() < kSecrets)
        std::this_thread::yield();
    instance.end();
    EXPECT_EQ(calls_, 1) << "the ephemeral secret is still there";
    undefine(instance, 9);
    EXPECT_EQ(calls_, 2);
}

TEST_F(ReencryptionInDaemon, AStopEndsItAndLeavesNothingBehind) {
    Instance instance(paths(), host_);
    useKey(2);
    std::future<void> stop;
    {
        SyncGate gate;
        instance.reload();
        SyncGate::awaitArrival();
        stop = std::async(std::launch::async, [&] { instance.end(); });
    }
    stop.get();
    EXPECT_EQ(calls_, 2);
    EXPECT_EQ(values().size(), kSecrets) << "no private file is left";
    instance.reload();
    EXPECT_EQ(calls_, 2) << "it does not begin again";
}

} // namespace keyhold
