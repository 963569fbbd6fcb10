// SPDX-License-Identifier: LGPL-2.1-or-later
// An instance whose secrets are changed by many threads while it is reloaded all the time. What it
// says in the end, what another finds on disk and the last event of each secret agree.
// tests/threads does the same through libvirt; this is the fast one, and the one that needs no
// module.
#include "directory/directory_backend.h"
#include "secret_driver/instance_fixture.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace keyhold {

namespace {

constexpr unsigned kThreads = 8;
constexpr unsigned kSecrets = 4;
constexpr unsigned kRounds = 500;

class ReloadBesideChanges : public WithInstances {
  protected:
    void change(Instance &instance, std::minstd_rand &random) {
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random()) % limit; };
        const unsigned number = 1 + below(kSecrets);
        try {
            switch (below(8)) {
            case 0:
            case 1:
                return define(instance, definitionWithUse(number, false, below(3)));
            case 2:
                return define(instance, definitionWithUse(number, true, below(3)));
            case 3:
            case 4:
                return setValue(instance, number,
                                below(5) == 0 ? "" : "value of " + std::to_string(number));
            case 5: {
                const std::string value = valueOf(instance, number);
                if (value != "none" && value != "value of " + std::to_string(number))
                    addUnexpected("got " + value);
                return;
            }
            default:
                return undefine(instance, number);
            }
        } catch (const Error &error) {
            if (error.code() != ErrorCode::notFound)
                addUnexpected(error.fullText());
        }
    }

    [[nodiscard]] std::set<std::string> unexpected() const { return unexpected_; }

    /// Definitions and values, ephemeral secrets apart.
    [[nodiscard]] static std::map<Uuid, std::string> persistent(Instance &instance) {
        std::map<Uuid, std::string> out;
        for (const RecordPtr &record : instance.store().all()) {
            if (!record->definition.isEphemeral)
                out[record->definition.uuid] =
                    std::to_string(static_cast<int>(record->definition.usage.type)) + " " +
                    valueOf(instance, record->definition.uuid.bytes()[0]);
        }
        return out;
    }

  private:
    static SecretDefinition definitionWithUse(unsigned number, bool isEphemeral, unsigned type) {
        constexpr UsageType kTypes[] = {UsageType::ceph, UsageType::tls, UsageType::volume};
        SecretDefinition definition = definitionOf(number, isEphemeral);
        definition.usage = {kTypes[type], "id" + std::to_string(number)};
        return definition;
    }

    void addUnexpected(const std::string &text) {
        const std::lock_guard lock(mutex_);
        unexpected_.insert(text);
    }

    std::mutex mutex_;
    std::set<std::string> unexpected_;
};

/// What a store reports beyond what is normal, each text once.
class Complaints : public AdminLog {
  public:
    void info(const std::string &) override {}
    void notice(const std::string &) override {}
    void warning(const std::string &text) override { add(text); }
    void error(const std::string &text) override { add(text); }
    [[nodiscard]] std::set<std::string> texts() const {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    void add(const std::string &text) {
        const std::lock_guard lock(mutex_);
        texts_.insert(text);
    }

    mutable std::mutex mutex_;
    std::set<std::string> texts_;
};

} // namespace

TEST_F(ReloadBesideChanges, LeavesMemoryDiskAndEventsInAgreement) {
    auto instance = start();
    std::map<Uuid, std::string> memory;
    {
        const Watch watch(*instance);
        std::atomic<bool> isOver{false};
        std::thread reloads([&] {
            while (!isOver)
                instance->reload();
        });
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                std::minstd_rand random(i + 1);
                for (unsigned round = 0; round < kRounds; ++round)
                    change(*instance, random);
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        isOver = true;
        reloads.join();
        EXPECT_EQ(unexpected(), std::set<std::string>{});

        Watch::deliver();
        std::map<std::string, bool> lastEvent;
        for (const std::string &line : watch.lines())
            lastEvent[line.substr(0, 1)] = line.ends_with(" defined");
        std::map<std::string, bool> present;
        for (const auto &[number, isPresent] : lastEvent)
            present[number] = false;
        for (const RecordPtr &record : instance->store().all())
            present[std::to_string(record->definition.uuid.bytes()[0])] = true;
        EXPECT_EQ(lastEvent, present);
        EXPECT_EQ(holds(), instance->store().hasEphemeral() ? 1 : 0);

        const auto before = watch.lines().size();
        instance->reload();
        Watch::deliver();
        EXPECT_EQ(watch.lines().size(), before) << "a reload of what is known reports nothing";
        memory = persistent(*instance);
    }
    instance.reset();
    instance = start();
    EXPECT_EQ(persistent(*instance), memory);

    std::set<std::string> expected;
    for (const auto &[uuid, state] : memory) {
        expected.insert(uuid.toString() + ".xml");
        if (!state.ends_with(" none"))
            expected.insert(uuid.toString() + ".base64");
    }
    std::set<std::string> files;
    for (const auto &entry : std::filesystem::directory_iterator(paths().configDirectory))
        files.insert(entry.path().filename());
    EXPECT_EQ(files, expected);
}

TEST_F(ReloadBesideChanges, TakesASecretThatComesOrGoesForNoFailure) {
    std::filesystem::create_directories(paths().configDirectory);
    Complaints complaints;
    SecretStore store(
        std::make_shared<DirectoryBackend>(
            std::make_unique<StoreDirectory>(posixFileSystem(), paths().configDirectory),
            complaints),
        std::make_shared<CurrentPolicy>(), complaints);
    store.load();
    std::atomic<bool> isOver{false};
    std::thread reloads([&] {
        while (!isOver)
            store.reload();
    });
    // The only secret there is: while it comes or goes, memory and disk differ for a moment.
    constexpr unsigned kTimes = 60;
    for (unsigned round = 0; round < kTimes; ++round) {
        (void)store.define(definitionOf(1), allow);
        store.undefine(uuidOf(1), allow);
    }
    isOver = true;
    reloads.join();
    EXPECT_EQ(complaints.texts(), std::set<std::string>{});
}

} // namespace keyhold
