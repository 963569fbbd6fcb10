// SPDX-License-Identifier: LGPL-2.1-or-later
// Eight threads that do everything at once to a few secrets. Afterwards what the process says, what
// a new process finds on disk and the last event of each secret agree.
#include "threads/mixed_work.h"

#include "os/temporary_directory.h"
#include "threads/event_loop.h"
#include "threads/observer.h"
#include "threads/other_process.h"
#include "threads/parallel.h"
#include "threads/session_daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

constexpr unsigned kRounds = 1200;
constexpr unsigned kByHand = 0x20; ///< a secret that only an administrator touches, as files
constexpr unsigned kLast = 0x21;

client::Connection open(const std::string &uri) {
    return client::Connection(virConnectOpen(uri.c_str()));
}

/// The names that the directory must have for what `connection` says there is, and no others.
std::set<std::string> expectedFiles(virConnectPtr connection) {
    std::set<std::string> names;
    const auto secrets = client::listAll(connection, VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL);
    for (const client::Secret &secret : *secrets) {
        const std::string uuid = client::uuidOf(client::numberOf(secret.get()));
        names.insert(uuid + ".xml");
        if (client::valueOf(secret.get()))
            names.insert(uuid + ".base64");
    }
    return names;
}

std::set<std::string> filesIn(const std::string &directory) {
    std::set<std::string> names;
    for (const fs::directory_entry &entry : fs::directory_iterator(directory))
        names.insert(entry.path().filename());
    return names;
}

/// What libvirt's log has of the driver's own warnings and errors, which name their source by
/// function. Not what a start serves, nor what is said of the files that the administrator has just
/// removed one of.
std::string incidentsIn(const std::string &logFile) {
    std::ifstream log(logFile);
    std::string out;
    for (std::string line; std::getline(log, line);) {
        const bool isIncident = line.find(": error : secretStore:") != line.npos ||
                                line.find(": warning : secretStore:") != line.npos;
        const bool isStart = line.find(" : 0 secrets are served from '") != line.npos;
        if (isIncident && !isStart && line.find(client::uuidOf(kByHand)) == line.npos)
            out += line + "\n";
    }
    return out;
}

void writeFile(const fs::path &path, const std::string &text) {
    const fs::path temporary = path.string() + ".tmp";
    std::ofstream(temporary) << text;
    fs::rename(temporary, path);
}

void ignoreEvent(virConnectPtr, virSecretPtr, int, int, void *) {}

/// Two connections are worked on and a third is watched, all to the same secrets.
class Scene {
  public:
    explicit Scene(const std::string &uri)
        : even_(open(uri)),
          odd_(open(uri)),
          watched_(open(uri)) {
        if (!even_ || !odd_ || !watched_)
            throw std::runtime_error(client::describeError());
        all_.watch(watched_.get());
        // A watch of one secret needs a handle, and so for a moment the secret.
        const client::Secret first = client::define(watched_.get(), {.number = 1});
        EventLoop::reconcile();
        one_.watch(watched_.get(), first.get());
        one_.expectPresent(1);
        if (virSecretUndefine(first.get()) < 0)
            throw std::runtime_error(client::describeError());
        skipped_ = 1;
    }

    void work(unsigned thread) {
        work_.run(thread % 2 == 0 ? even_.get() : odd_.get(), thread, kRounds);
    }

    /// One more secret, so that a store that is served is never empty.
    void defineLast() {
        EXPECT_NE(client::define(even_.get(), {.number = kLast}), nullptr)
            << client::describeError();
    }

    void checkCalls() const {
        EXPECT_THAT(work_.unexpected(), testing::IsEmpty());
        for (const char *call : {"define", "define ephemeral", "set", "remove the value", "get",
                                 "dump", "list", "look up", "look up by use", "undefine"})
            EXPECT_GT(work_.successes().at(call), 0U) << call;
    }

    /// Once nothing works any more.
    void checkEvents() {
        EventLoop::reconcile();
        EXPECT_THAT(all_.nonsense(), testing::IsEmpty());
        EXPECT_THAT(one_.nonsense(), testing::IsEmpty());
        for (const auto &[number, isPresent] : all_.lastSeen()) {
            EXPECT_EQ(client::lookup(watched_.get(), number) != nullptr, isPresent)
                << number << ", last event: " << all_.linesOf(number).back();
        }
        std::vector<Observer::Line> ofFirst = all_.linesOf(1);
        ofFirst.erase(ofFirst.begin(), ofFirst.begin() + skipped_);
        EXPECT_EQ(one_.lines(), ofFirst);
        all_.unwatch();
        one_.unwatch();
    }

    [[nodiscard]] virConnectPtr connection() const { return watched_.get(); }

  private:
    MixedWork work_;
    Observer all_;
    Observer one_;               ///< of the first secret only
    std::ptrdiff_t skipped_ = 0; ///< events of the first secret before that watch
    client::Connection even_;
    client::Connection odd_;
    client::Connection watched_;
};

/// An administrator with an editor, on a secret of his own.
void editByHand(const std::string &directory, unsigned round) {
    const fs::path base = fs::path(directory) / client::uuidOf(kByHand);
    const std::string xml = base.string() + ".xml";
    const std::string value = base.string() + ".base64";
    switch (round % 4) {
    case 0:
        writeFile(value, "b25l\n");
        return writeFile(xml, client::toXml({.number = kByHand, .type = "tls", .id = "by-hand"}));
    case 1:
        return writeFile(value, "dHdv\n");
    case 2:
        return writeFile(xml, client::toXml({.number = kByHand, .type = "ceph", .id = "by-hand"}));
    default:
        fs::remove(xml);
        fs::remove(value);
    }
}

} // namespace

TEST(MixedWork, OnOneEmbeddedRootLeavesMemoryDiskAndEventsInAgreement) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    std::string memory;
    {
        Scene scene(client::uriOf(root));
        atOnce(kThreads, [&](unsigned i) { scene.work(i); });
        scene.checkCalls();
        scene.checkEvents();
        memory = client::dumpPersistent(scene.connection());
        EXPECT_EQ(filesIn(client::secretsDirectory(root)), expectedFiles(scene.connection()));
    }
    EXPECT_EQ(dumpElsewhere(root), memory);
}

TEST(MixedWork, BesideReloadsLeavesMemoryDiskAndEventsInAgreement) {
    const TemporaryDirectory directory;
    const std::string log = directory.path() + "/log";
    setenv("LIBVIRT_LOG_OUTPUTS", ("1:file:" + log).c_str(), 1);
    setenv("LIBVIRT_LOG_FILTERS", "3:secret.keyhold", 1);
    const EventLoop loop;
    const SessionDaemon daemon(directory.path());
    std::string memory;
    {
        Scene scene(SessionDaemon::kUri);
        scene.defineLast();
        std::atomic<bool> isOver{false};
        std::thread reloads([&] {
            while (!isOver)
                SessionDaemon::reload();
        });
        std::thread administrator([&] {
            for (unsigned round = 0; !isOver; ++round)
                editByHand(daemon.secretsDirectory(), round);
        });
        atOnce(kThreads, [&](unsigned i) { scene.work(i); });
        isOver = true;
        reloads.join();
        administrator.join();

        editByHand(daemon.secretsDirectory(), 0);
        SessionDaemon::reload();
        scene.checkCalls();
        scene.checkEvents();
        EXPECT_NE(client::lookup(scene.connection(), kByHand), nullptr) << client::describeError();
        memory = client::dumpPersistent(scene.connection());
        EXPECT_EQ(filesIn(daemon.secretsDirectory()), expectedFiles(scene.connection()));

        const auto ephemeral =
            client::listAll(scene.connection(), VIR_CONNECT_LIST_SECRETS_EPHEMERAL);
        EXPECT_EQ(SessionDaemon::inhibitions(), ephemeral->empty() ? 0 : 1);
        EXPECT_FALSE(SessionDaemon::wasMiscounted());
    }
    EXPECT_EQ(incidentsIn(log), "");
    // The same check sees an incident if there is one.
    std::ofstream(daemon.secretsDirectory() + "/misnamed.xml") << "<secret/>";
    SessionDaemon::reload();
    EXPECT_THAT(incidentsIn(log), testing::HasSubstr("misnamed.xml"));
    fs::remove(daemon.secretsDirectory() + "/misnamed.xml");

    // A copy: nobody else gets in while the daemon has the directory.
    const std::string root = directory.path() + "/root";
    fs::create_directories(root + "/etc");
    fs::copy(daemon.secretsDirectory(), client::secretsDirectory(root));
    EXPECT_EQ(dumpElsewhere(root), memory);
}

TEST(MixedWork, OnAStoppedDriverIsToldSo) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const SessionDaemon daemon(directory.path());
    const client::Connection connection = open(SessionDaemon::kUri);
    ASSERT_NE(connection, nullptr) << client::describeError();
    const client::Secret secret = client::define(connection.get(), {.number = 1});
    ASSERT_NE(secret, nullptr) << client::describeError();

    std::atomic<unsigned> calls{0};
    std::thread caller([&] {
        while (client::setValue(secret.get(), "x"))
            ++calls;
        EXPECT_EQ(client::describeError(),
                  "error 1 30 internal error: secret state driver is not active");
    });
    while (calls == 0)
        std::this_thread::yield();
    SessionDaemon::stop();
    caller.join();
    const auto expectStopped = [](const char *call, bool hasAnswered) {
        EXPECT_FALSE(hasAnswered) << call;
        EXPECT_EQ(client::describeError(),
                  "error 1 30 internal error: secret state driver is not active")
            << call;
        virResetLastError();
    };
    virConnectPtr to = connection.get();
    char *uuid = nullptr;
    expectStopped("count", virConnectNumOfSecrets(to) >= 0);
    expectStopped("list", virConnectListSecrets(to, &uuid, 1) >= 0);
    expectStopped("list all", client::listAll(to).has_value());
    expectStopped("look up", client::lookup(to, 1) != nullptr);
    expectStopped("look up by use",
                  virSecretLookupByUsage(to, VIR_SECRET_USAGE_TYPE_CEPH, "x") != nullptr);
    expectStopped("define", client::define(to, {.number = 2}) != nullptr);
    expectStopped("dump", client::xmlOf(secret.get()).has_value());
    expectStopped("get", client::valueOf(secret.get()).has_value());
    expectStopped("set", client::setValue(secret.get(), "y"));
    expectStopped("undefine", virSecretUndefine(secret.get()) == 0);
    expectStopped("watch", virConnectSecretEventRegisterAny(
                               to, nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
                               VIR_SECRET_EVENT_CALLBACK(ignoreEvent), nullptr, nullptr) >= 0);
    expectStopped("unwatch", virConnectSecretEventDeregisterAny(to, 0) == 0);
    expectStopped("open", open(SessionDaemon::kUri) != nullptr);
    EXPECT_FALSE(fs::exists(directory.path() + "/run/libvirt/secrets/run/driver.pid"));
}

} // namespace keyhold
