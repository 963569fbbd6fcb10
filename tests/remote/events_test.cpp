// SPDX-License-Identifier: LGPL-2.1-or-later
// Delivery by libvirt's own event loop, to callbacks on real connections.
#include "remote/events.h"

#include "abi/symbols.h"
#include "conf/no_memory.h"
#include "conf/raised.h"
#include "remote/error_report.h"
#include "remote/libvirt_fixture.h"

#include <new>
#include <string>
#include <vector>

namespace keyhold {

namespace {

Uuid uuidOf(int number) {
    std::array<std::uint8_t, Uuid::kSize> bytes{};
    bytes[0] = static_cast<std::uint8_t>(number);
    return Uuid(bytes);
}

/// What one callback got, one line an event.
struct Watch {
    std::vector<std::string> lines;
    int freed = 0;

    void add(virSecretPtr secret, const std::string &what) {
        unsigned char uuid[VIR_UUID_BUFLEN] = {};
        virSecretGetUUID(secret, uuid);
        lines.push_back(std::to_string(uuid[0]) + " " + virSecretGetUsageID(secret) + " " + what);
    }
};

Watch &watchOf(void *opaque) {
    return *static_cast<Watch *>(opaque);
}

void onLifecycle(virConnectPtr, virSecretPtr secret, int event, int detail, void *opaque) {
    watchOf(opaque).add(secret, (event == VIR_SECRET_EVENT_DEFINED ? "defined " : "undefined ") +
                                    std::to_string(detail));
}

void onValueChanged(virConnectPtr, virSecretPtr secret, void *opaque) {
    watchOf(opaque).add(secret, "value");
}

void onFree(void *opaque) {
    ++watchOf(opaque).freed;
}

virConnectSecretEventGenericCallback lifecycleCallback() {
    return VIR_SECRET_EVENT_CALLBACK(onLifecycle);
}

virConnectSecretEventGenericCallback valueCallback() {
    return VIR_SECRET_EVENT_CALLBACK(onValueChanged);
}

class EventsTest : public WithLibvirt {
  protected:
    static void SetUpTestSuite() { ASSERT_EQ(virEventRegisterDefaultImpl(), 0); }
    void SetUp() override {
        WithLibvirt::SetUp();
        connection_.reset(virConnectOpen("test:///default"));
        ASSERT_NE(connection_, nullptr);
    }

    /// Lets the event loop go round until everything queued so far is delivered: a timer that is
    /// added now fires in the same round as the one of the events, or later.
    static void deliver() {
        bool isDue = false;
        const int timer = virEventAddTimeout(
            0, [](int, void *opaque) { *static_cast<bool *>(opaque) = true; }, &isDue, nullptr);
        while (!isDue)
            ASSERT_EQ(virEventRunDefaultImpl(), 0);
        ASSERT_EQ(virEventRemoveTimeout(timer), 0);
    }

    int addLifecycle(Events &events, Watch &watch, virSecretPtr secret = nullptr) {
        return events.add(connection_.get(), secret, VIR_SECRET_EVENT_ID_LIFECYCLE,
                          lifecycleCallback(), &watch, onFree);
    }

    Connection connection_;
};

} // namespace

TEST_F(EventsTest, WatchersAreToldInTheOrderOfTheChanges) {
    Events events;
    Watch watch;
    const int lifecycle = addLifecycle(events, watch);
    const int value = events.add(connection_.get(), nullptr, VIR_SECRET_EVENT_ID_VALUE_CHANGED,
                                 valueCallback(), &watch, onFree);
    events.defined(uuidOf(1), {UsageType::ceph, "a"});
    events.valueChanged(uuidOf(1), {UsageType::ceph, "a"});
    events.defined(uuidOf(2), {});
    events.undefined(uuidOf(1), {UsageType::ceph, "a"});
    deliver();
    EXPECT_EQ(watch.lines, (std::vector<std::string>{"1 a defined 0", "1 a value", "2  defined 0",
                                                     "1 a undefined 0"}));
    events.remove(connection_.get(), lifecycle);
    events.remove(connection_.get(), value);
    deliver();
    EXPECT_EQ(watch.freed, 2);
}

TEST_F(EventsTest, AWatcherOfOneSecretHearsOfNoOther) {
    Events events;
    Watch watch;
    virSecretPtr secret = abi::symbols().virGetSecret(connection_.get(), uuidOf(2).bytes().data(),
                                                      VIR_SECRET_USAGE_TYPE_CEPH, "b");
    ASSERT_NE(secret, nullptr);
    const int id = addLifecycle(events, watch, secret);
    for (int number : {1, 2, 3})
        events.defined(uuidOf(number), {UsageType::ceph, "x" + std::to_string(number)});
    deliver();
    EXPECT_EQ(watch.lines, std::vector<std::string>{"2 x2 defined 0"});
    events.remove(connection_.get(), id);
    deliver();
    virSecretFree(secret);
}

TEST_F(EventsTest, WatchersOfOtherEventsHearNothing) {
    Events ours;
    Events theirs;
    Watch watch;
    const int id = addLifecycle(theirs, watch);
    ours.defined(uuidOf(1), {});
    deliver();
    EXPECT_TRUE(watch.lines.empty());
    theirs.remove(connection_.get(), id);
    deliver();
}

TEST_F(EventsTest, AfterDeregistrationNothingComes) {
    Events events;
    Watch watch;
    events.remove(connection_.get(), addLifecycle(events, watch));
    events.defined(uuidOf(1), {});
    deliver();
    EXPECT_TRUE(watch.lines.empty());
    EXPECT_EQ(watch.freed, 1);
}

TEST_F(EventsTest, AnUnknownIdIsRefusedWithLibvirtsError) {
    Events events;
    EXPECT_THROW(events.remove(connection_.get(), 99), ErrorAlreadyRaised);
    EXPECT_EQ(lastError().code, VIR_ERR_INVALID_ARG);
}

TEST_F(EventsTest, TheIdOfAnotherConnectionIsRefused) {
    Events events;
    Watch watch;
    const int id = addLifecycle(events, watch);
    const Connection other(virConnectOpen("test:///default"));
    EXPECT_THROW(events.remove(other.get(), id), ErrorAlreadyRaised);
    events.remove(connection_.get(), id);
    deliver();
}

// As one of another driver that is registered in two embedded roots.
TEST_F(EventsTest, NoIdOfAConnectionIsGivenTwice) {
    Events first;
    Events second;
    Watch ofFirst;
    Watch ofSecond;
    const int a = addLifecycle(first, ofFirst);
    const int b = addLifecycle(second, ofSecond);
    EXPECT_NE(a, b);
    EXPECT_TRUE(first.has(connection_.get(), a));
    EXPECT_FALSE(first.has(connection_.get(), b));
    EXPECT_TRUE(second.has(connection_.get(), b));
    const auto isTold = [&](const std::vector<std::string> &ofTheFirst,
                            const std::vector<std::string> &ofTheSecond) {
        first.defined(uuidOf(1), {});
        second.defined(uuidOf(2), {});
        deliver();
        EXPECT_EQ(ofFirst.lines, ofTheFirst);
        EXPECT_EQ(ofSecond.lines, ofTheSecond);
        ofFirst.lines.clear();
        ofSecond.lines.clear();
    };
    isTold({"1  defined 0"}, {"2  defined 0"});

    // libvirt has the second as `a`, and the connection does not.
    EXPECT_EQ(raisedBy([&] { second.remove(connection_.get(), a); })->code,
              ErrorCode::invalidArgument);
    isTold({"1  defined 0"}, {"2  defined 0"});
    second.remove(connection_.get(), b);
    EXPECT_FALSE(second.has(connection_.get(), b));
    isTold({"1  defined 0"}, {});
    first.remove(connection_.get(), a);
    deliver();
    EXPECT_EQ(ofFirst.freed, 1);
    EXPECT_EQ(ofSecond.freed, 1);
}

TEST_F(EventsTest, WithoutMemoryNothingIsRegistered) {
    Events events;
    Watch watch;
    events.remove(connection_.get(), addLifecycle(events, watch)); // what is made once is there
    bool isRefused = false;
    {
        const NoMemory none;
        try {
            static_cast<void>(addLifecycle(events, watch));
        } catch (const std::bad_alloc &) {
            isRefused = true;
        }
    }
    EXPECT_TRUE(isRefused);
    events.defined(uuidOf(1), {});
    deliver();
    EXPECT_TRUE(watch.lines.empty());
    EXPECT_EQ(watch.freed, 1) << "what was not registered is still the caller's";
}

TEST_F(EventsTest, EventsMayGoBeforeTheEventLoopDeliversThem) {
    Watch watch;
    {
        Events events;
        const int id = addLifecycle(events, watch);
        events.defined(uuidOf(1), {});
        events.remove(connection_.get(), id);
    }
    deliver();
    EXPECT_EQ(watch.freed, 1);
}

} // namespace keyhold
