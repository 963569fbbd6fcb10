// SPDX-License-Identifier: LGPL-2.1-or-later
// States of their own, on real connections that libvirt's test driver opened and that have the URIs
// a test wants. The module, with the one state of a process, is tested in tests/threads.
#include "secret_driver/driver_state.h"

#include "conf/no_memory.h"
#include "remote/error_report.h"
#include "secret_driver/instance_fixture.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace keyhold {

namespace {

namespace fs = std::filesystem;

/// A connection that a state opens as one of its own.
class OwnedConnection {
  public:
    OwnedConnection(DriverState &state, const std::string &uri)
        : state_(state),
          connection_(uri),
          theirs_(abi::connectionPrivateData(connection_.get())) {
        state_.setConnectionTable(abi::connectionDriver(connection_.get()));
        abi::setConnectionPrivateData(connection_.get(), nullptr);
        try {
            state_.openConnection(connection_.get());
        } catch (...) {
            abi::setConnectionPrivateData(connection_.get(), theirs_);
            throw;
        }
    }
    ~OwnedConnection() {
        state_.closeConnection(connection_.get());
        abi::setConnectionPrivateData(connection_.get(), theirs_);
    }
    OwnedConnection(const OwnedConnection &) = delete;
    OwnedConnection &operator=(const OwnedConnection &) = delete;

    [[nodiscard]] virConnectPtr get() const { return connection_.get(); }

  private:
    DriverState &state_;
    ConnectionWithUri connection_;
    void *theirs_;
};

class DriverStateTest : public WithInstances {
  protected:
    static void SetUpTestSuite() {
        ASSERT_EQ(virEventRegisterDefaultImpl(), 0);
#ifdef __SANITIZE_ADDRESS__
        // For each open of an embedded root libvirt takes a reference to it.
        const __lsan::ScopedDisabler ours;
#endif
        void *manager = privateFunction<void *(const char *)>("virAccessManagerNew")("none");
        ASSERT_NE(manager, nullptr);
        privateFunction<void(void *)>("virAccessManagerSetDefault")(manager);
        privateFunction<void(void *)>("virObjectUnref")(manager); // libvirt has a reference
    }

    void SetUp() override {
        WithInstances::SetUp();
        // No module: what libvirt would load here is the one that is installed.
        setenv("LIBVIRT_DRIVER_DIR", directory_.path().c_str(), 1);
    }

    [[nodiscard]] std::string root(const std::string &name) const {
        return directory_.path() + "/" + name;
    }
    [[nodiscard]] std::string uriOf(const std::string &name) const {
        return "secret:///embed?root=" + root(name);
    }
    [[nodiscard]] std::string openMessage(const std::string &uri) {
        return messageOf([&] { const OwnedConnection connection(state_, uri); });
    }
    void startEmbedded() {
        state_.start(true, true, nullptr, nullptr);
    }

    DriverState &state_ = newState();

  private:
    // A state is made to last as long as its process.
    static DriverState &newState() {
        static auto &states = *new std::list<DriverState>;
        return states.emplace_back();
    }
};

constexpr const char *kNotActive = "secret state driver is not active";

} // namespace

TEST_F(DriverStateTest, BeforeTheStartNothingIsServed) {
    EXPECT_EQ(openMessage("secret:///system"), kNotActive);
    const ConnectionWithUri connection("secret:///system");
    EXPECT_EQ(messageOf([&] { (void)state_.instanceOf(connection.get()); }), kNotActive);
    EXPECT_EQ(messageOf([&] { state_.reload(); }), kNotActive);
    EXPECT_EQ(messageOf([&] { state_.stop(); }), kNotActive);
}

// libvirtd would end.
TEST_F(DriverStateTest, ADaemonWithoutMemoryStartsAndServesNoSecrets) {
    {
        const NoMemory none;
        EXPECT_NO_THROW(state_.start(false, false, nullptr, nullptr));
    }
    const ConnectionWithUri connection("secret:///session");
    EXPECT_EQ(messageOf([&] { (void)state_.instanceOf(connection.get()); }), kNotActive);
}

TEST_F(DriverStateTest, AnEmbeddedOpenThatComesBeforeTheStartWaitsForIt) {
    std::atomic<bool> isOpening{false};
    std::atomic<bool> isOpen{false};
    std::thread opener([&] {
        const ConnectionWithUri connection(uriOf("root"));
        void *theirs = abi::connectionPrivateData(connection.get());
        isOpening = true;
        EXPECT_EQ(messageOf([&] { state_.openConnection(connection.get()); }), "no error");
        isOpen = true;
        state_.closeConnection(connection.get());
        abi::setConnectionPrivateData(connection.get(), theirs);
    });
    while (!isOpening)
        std::this_thread::yield();
    // Time for an open that does not wait to fail; one that waits is not hurried by it.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(isOpen);
    startEmbedded();
    opener.join();
    EXPECT_TRUE(isOpen);
}

TEST_F(DriverStateTest, AnEmbeddedConnectionKeepsItsRootOpen) {
    startEmbedded();
    const std::string lock = InstancePaths::embedded(root("root")).stateDirectory + "/driver.pid";
    {
        const OwnedConnection first(state_, uriOf("root"));
        const OwnedConnection second(state_, uriOf("root/"));
        EXPECT_EQ(&*state_.instanceOf(first.get()), &*state_.instanceOf(second.get()));
        EXPECT_TRUE(fs::exists(lock));
    }
    EXPECT_FALSE(fs::exists(lock));
}

TEST_F(DriverStateTest, AnOpenLeavesNoErrorWhereOtherDriversWillNotFindTheRoot) {
    startEmbedded();
    const OwnedConnection connection(state_, uriOf("root"));
    EXPECT_EQ(virGetLastError(), nullptr) << virGetLastErrorMessage();
}

TEST_F(DriverStateTest, AnotherDriversConnectionFindsTheRootThatIsOpen) {
    startEmbedded();
    const OwnedConnection ours(state_, uriOf("root"));
    state_.setConnectionTable(nullptr);
    const ConnectionWithUri theirs("qemu:///embed?root=" + root("machines"));
    const auto instance = state_.instanceOf(theirs.get());
    state_.setConnectionTable(abi::connectionDriver(ours.get()));
    EXPECT_EQ(&*instance, &*state_.instanceOf(ours.get()));
}

TEST_F(DriverStateTest, ADaemonRefusesEmbeddedRootsBeforeItTouchesAFile) {
    ASSERT_TRUE(InstancePaths::session().configDirectory.starts_with(sessionDirectory()));
    state_.start(false, false, nullptr, nullptr);
    const ConnectionWithUri embedded(uriOf("victim"));
    EXPECT_THROW(state_.openConnection(embedded.get()), ErrorAlreadyRaised);
    EXPECT_STREQ(lastError().message, "internal error: unexpected secret URI path '/embed', try "
                                      "secret:///session");
    EXPECT_FALSE(fs::exists(root("victim")));

    const OwnedConnection session(state_, "secret:///session");
    EXPECT_NO_THROW((void)state_.instanceOf(session.get()));
    state_.reload();
    const ConnectionWithUri theirs("qemu:///session");
    EXPECT_EQ(&*state_.instanceOf(theirs.get()), &*state_.instanceOf(session.get()));

    state_.stop();
    EXPECT_EQ(messageOf([&] { (void)state_.instanceOf(session.get()); }), kNotActive);
    EXPECT_EQ(openMessage("secret:///session"), kNotActive);
    EXPECT_EQ(messageOf([&] { state_.reload(); }), kNotActive);
    EXPECT_EQ(messageOf([&] { state_.stop(); }), kNotActive);
}

TEST_F(DriverStateTest, AClientOfADaemonOpensNoEmbeddedRoot) {
    startEmbedded();
    std::thread([&] {
        const auto setCurrent = privateFunction<int(void *)>("virIdentitySetCurrent");
        void *client = privateFunction<void *()>("virIdentityNew")();
        ASSERT_EQ(setCurrent(client), 0);
        EXPECT_EQ(openMessage(uriOf("root")),
                  "embedded secrets are not opened for clients of a daemon");
        ASSERT_EQ(setCurrent(nullptr), 0);
        privateFunction<void(void *)>("g_object_unref")(client);
    }).join();
    EXPECT_FALSE(fs::exists(root("root")));
}

TEST_F(DriverStateTest, AForkedCopyOfTheProcessIsRefused) {
    startEmbedded();
    const OwnedConnection connection(state_, uriOf("root"));
    const pid_t child = fork();
    if (child == 0) {
        const std::string call = messageOf([&] { (void)state_.instanceOf(connection.get()); });
        _exit(call.find("forked copy") != std::string::npos ? 7 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    EXPECT_NO_THROW((void)state_.instanceOf(connection.get()));
}

} // namespace keyhold
