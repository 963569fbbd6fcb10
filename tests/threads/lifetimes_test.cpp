// SPDX-License-Identifier: LGPL-2.1-or-later
// Connections, handles and registrations that go in any order, on any thread: libvirt closes a
// connection of ours when the last of them goes, wherever that is.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/observer.h"
#include "threads/other_process.h"
#include "threads/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>

namespace keyhold {

namespace {

constexpr unsigned kThings = 5;

/// Five things that keep a root open, each on its own. Registrations hold a reference of the
/// user's, for taking them back.
class Things {
  public:
    explicit Things(const std::string &root)
        : first_(client::openRoot(root)),
          second_(client::openRoot(root)) {
        if (!first_ || !second_)
            throw std::runtime_error(client::describeError());
        ofFirst_ = client::define(first_.get(), {.number = 1});
        ofSecond_ = client::lookup(second_.get(), 1);
        if (!ofFirst_ || !ofSecond_)
            throw std::runtime_error(client::describeError());
        virConnectRef(second_.get());
        registered_.reset(second_.get());
        observer_.watch(registered_.get());
    }

    void release(unsigned thing) {
        switch (thing) {
        case 0:
            return first_.reset();
        case 1:
            return second_.reset();
        case 2:
            return ofFirst_.reset();
        case 3:
            return ofSecond_.reset();
        default:
            observer_.unwatch();
            return registered_.reset();
        }
    }

    [[nodiscard]] const Observer &observer() const { return observer_; }

  private:
    Observer observer_;
    client::Connection first_;
    client::Connection second_;
    client::Secret ofFirst_;
    client::Secret ofSecond_;
    client::Connection registered_;
};

/// Calls `visit` with every order of the five.
void forEachOrder(const std::function<void(const std::array<unsigned, kThings> &)> &visit) {
    std::array<unsigned, kThings> order{0, 1, 2, 3, 4};
    do {
        visit(order);
    } while (std::ranges::next_permutation(order).found);
}

} // namespace

TEST(Lifetimes, ARootIsReleasedWithTheLastThingThatKeepsIt) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    forEachOrder([&](const std::array<unsigned, kThings> &order) {
        Things things(root);
        for (unsigned i = 0; i < kThings; ++i) {
            ASSERT_TRUE(std::filesystem::exists(client::lockFile(root))) << "before " << i;
            things.release(order[i]);
        }
        ASSERT_FALSE(std::filesystem::exists(client::lockFile(root)))
            << "last went " << order[kThings - 1];
    });
    EXPECT_EQ(openElsewhere(root), "open");
}

TEST(Lifetimes, ThingsMayGoOnThreadsOfTheirOwn) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    constexpr int kRounds = 200;
    for (int round = 0; round < kRounds; ++round) {
        Things things(root);
        atOnce(kThings, [&](unsigned thing) { things.release(thing); });
        ASSERT_FALSE(std::filesystem::exists(client::lockFile(root))) << "round " << round;
    }
    EXPECT_EQ(openElsewhere(root), "open");
}

TEST(Lifetimes, AHandleWorksAfterItsConnectionWasClosed) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    client::Connection connection = client::openRoot(root);
    ASSERT_NE(connection, nullptr) << client::describeError();
    const client::Secret secret = client::define(connection.get(), {.number = 1});
    ASSERT_NE(secret, nullptr) << client::describeError();
    connection.reset();
    std::thread([&] {
        EXPECT_TRUE(client::setValue(secret.get(), "late")) << client::describeError();
        EXPECT_EQ(client::valueOf(secret.get()), "late");
    }).join();
    EXPECT_EQ(openElsewhere(root), client::lockedText(root));
}

TEST(Lifetimes, TheEventLoopMayBeTheOneThatClosesTheConnection) {
    const TemporaryDirectory directory;
    // A callback that takes itself back: libvirt forgets it, and with it the connection, once the
    // callback has returned, in the event loop and with the lock of the events held.
    struct Registration {
        virConnectPtr connection = nullptr;
        int id = -1;
        std::atomic<bool> isCalled{false};
        std::atomic<bool> isFreed{false};
    } registration;
    const auto onEvent = [](virConnectPtr, virSecretPtr, int, int, void *opaque) {
        auto &own = *static_cast<Registration *>(opaque);
        EXPECT_EQ(virConnectSecretEventDeregisterAny(own.connection, own.id), 0);
        virConnectClose(own.connection);
        own.isCalled = true;
    };
    const auto onFree = [](void *opaque) { static_cast<Registration *>(opaque)->isFreed = true; };
    const std::string root = directory.path() + "/root";
    {
        const EventLoop loop;
        registration.connection = virConnectOpen(client::uriOf(root).c_str());
        ASSERT_NE(registration.connection, nullptr) << client::describeError();
        registration.id = virConnectSecretEventRegisterAny(
            registration.connection, nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
            VIR_SECRET_EVENT_CALLBACK(
                static_cast<void (*)(virConnectPtr, virSecretPtr, int, int, void *)>(onEvent)),
            &registration, onFree);
        ASSERT_GE(registration.id, 0) << client::describeError();
        {
            const client::Connection other = client::openRoot(root);
            ASSERT_NE(client::define(other.get(), {.number = 1}), nullptr)
                << client::describeError();
        }
        while (!registration.isFreed)
            std::this_thread::yield();
    }
    EXPECT_TRUE(registration.isCalled);
    EXPECT_FALSE(std::filesystem::exists(client::lockFile(root)));
    EXPECT_EQ(openElsewhere(root), "open");
}

TEST(Lifetimes, RegistrationsMayComeAndGoWhileOthersChangeAndClose) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    constexpr unsigned kRounds = 150;
    std::vector<std::unique_ptr<Observer>> observers[kThreads];
    atOnce(kThreads, [&](unsigned i) {
        for (unsigned round = 0; round < kRounds; ++round) {
            client::Connection connection = client::openRoot(root);
            ASSERT_NE(connection, nullptr) << client::describeError();
            Observer &observer = *observers[i].emplace_back(std::make_unique<Observer>());
            observer.watch(connection.get());
            client::Secret secret =
                client::define(connection.get(), {.number = i, .isEphemeral = true});
            ASSERT_NE(secret, nullptr) << client::describeError();
            if (round % 2 == 0) {
                ASSERT_EQ(virSecretUndefine(secret.get()), 0) << client::describeError();
            }
            if (round % 3 == 0)
                secret.reset();
            observer.unwatch();
            connection.reset();
        }
    });
    EventLoop::reconcile();
    for (const auto &ofThread : observers) {
        for (const auto &observer : ofThread)
            EXPECT_EQ(observer->released(), 2);
    }
    EXPECT_FALSE(std::filesystem::exists(client::lockFile(root)));
}

} // namespace keyhold
