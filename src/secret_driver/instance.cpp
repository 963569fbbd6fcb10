// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance.h"

#include "host/key_source.h"
#include "host/memory_report.h"
#include "secret_driver/host_journal.h"
#include "store/directory_backend.h"
#include "store/impaired_backend.h"

#include <optional>

namespace keyhold {

namespace {

void makeDirectory(const char *what, const std::string &path) {
    const int result = posixFileSystem().makePath(path);
    if (result < 0)
        throw Error(ErrorCode::systemCall,
                    std::string("cannot create ") + what + " directory '" + path + "'", -result);
}

} // namespace

std::unique_ptr<StoreDirectory> Instance::openDirectory(const InstancePaths &paths) {
    makeDirectory("config", paths.configDirectory);
    makeDirectory("state", paths.stateDirectory);
    return std::make_unique<StoreDirectory>(posixFileSystem(), paths.configDirectory);
}

Instance::Instance(InstancePaths paths, std::unique_ptr<StoreLock> lock,
                   std::unique_ptr<StoreDirectory> directory, Inhibitor &inhibitor,
                   std::shared_ptr<Events> events)
    : paths_(std::move(paths)),
      inhibitor_(inhibitor),
      lock_(std::move(lock)),
      events_(std::move(events)),
      store_(std::make_shared<DirectoryBackend>(std::move(directory), hostJournal(), atRest_),
             hostJournal()),
      renewal_(store_, hostJournal(), [this] { followInhibitor(); }) {
    readKeys();
    store_.load();
    tellMemory(hostJournal());
    // Here and now: a program may close its root again before a thread had come far.
    store_.renewOutdated([] { return false; });
}

Instance::Instance(const InstancePaths &paths, Inhibitor &inhibitor)
    : paths_(paths),
      inhibitor_(inhibitor),
      events_(std::make_shared<Events>()),
      store_(openBackend(isImpaired_), hostJournal()),
      renewal_(store_, hostJournal(), [this] { followInhibitor(); }) {
    readKeys();
    store_.load();
    announce();
    renewal_.request();
}

void Instance::readKeys() {
    atRest_->set(readHostKeys(paths_, hostJournal()).atRest);
}

std::shared_ptr<Backend> Instance::openBackend(bool &isImpaired) {
    std::optional<Error> trouble;
    const auto attempt = [&](const auto &step) {
        try {
            step();
        } catch (const LockedError &) {
            throw;
        } catch (const Error &error) {
            hostJournal().error("the secrets in '" + paths_.configDirectory +
                                "' cannot be served in full: " + error.fullText());
            trouble = error;
        }
    };

    attempt([&] { makeDirectory("state", paths_.stateDirectory); });
    if (!trouble && !lock_)
        attempt(
            [&] { lock_ = std::make_unique<StoreLock>(posixFileSystem(), paths_.stateDirectory); });
    std::unique_ptr<Backend> readable;
    attempt([&] {
        makeDirectory("config", paths_.configDirectory);
        readable = std::make_unique<DirectoryBackend>(
            std::make_unique<StoreDirectory>(posixFileSystem(), paths_.configDirectory),
            hostJournal(), atRest_);
    });
    isImpaired = trouble.has_value();
    if (trouble)
        return std::make_shared<ImpairedBackend>(paths_.configDirectory, std::move(readable),
                                                 *trouble);
    return readable;
}

void Instance::reload() {
    try {
        takeOver();
    } catch (const std::exception &) {
        announce(); // of what it had come to
        throw;
    }
    announce();
    renewal_.request();
}

void Instance::takeOver() {
    const std::lock_guard lock(reloading_);
    readKeys();
    if (isImpaired_) {
        bool isStillImpaired = true;
        const auto backend = openBackend(isStillImpaired);
        backend->recover();
        store_.replaceBackend(backend);
        isImpaired_ = isStillImpaired;
    }
    store_.reload();
}

void Instance::announce() noexcept {
    tellMemory(hostJournal());
    try {
        runner_.request([this] { sendEvents(); });
    } catch (const std::exception &exception) {
        hostJournal().failure("watchers were not told of a change: ", exception);
    }
    followInhibitor();
}

void Instance::followInhibitor() noexcept {
    try {
        inhibitor_.follow([this] { return store_.hasEphemeral() || renewal_.isAtWork(); });
    } catch (const std::exception &exception) {
        hostJournal().failure("the host was not told whether it may end: ", exception);
    }
}

void Instance::sendEvents() {
    for (const Change &change : store_.takeChanges()) {
        switch (change.kind) {
        case Change::Kind::defined:
            events_->defined(change.uuid, change.usage);
            break;
        case Change::Kind::valueChanged:
            events_->valueChanged(change.uuid, change.usage);
            break;
        case Change::Kind::undefined:
            events_->undefined(change.uuid, change.usage);
            break;
        }
    }
}

} // namespace keyhold
