// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance.h"

#include "abi/release.h"
#include "directory/directory_backend.h"
#include "host/host_keys.h"
#include "host/memory_report.h"
#include "os/lock_holder.h"
#include "seal/key_memory.h"
#include "secret_driver/libvirt_admin_log.h"

#include <ctime>
#include <optional>
#include <utility>

namespace keyhold {

namespace {

constexpr std::chrono::seconds kReportPeriod{1};

void makeDirectory(const char *what, const std::string &path) {
    const int result = posixFileSystem().makePath(path);
    if (result < 0)
        throw Error(ErrorCode::systemCall,
                    std::string("cannot create ") + what + " directory " + inQuotes(path), -result);
}

void noteWithoutValue(const Record &record, DriverReport::Counts &counts) {
    ++counts.withoutValue;
    auto &stored = counts.storedWithoutValue;
    if (record.definition.isEphemeral || !stored)
        return;
    if (stored->size() == DriverReport::kMaxWithoutValue)
        stored.reset();
    else
        stored->push_back(record.definition.uuid.toString());
}

void count(const Record &record, DriverReport::Counts &counts) {
    ++counts.secrets;
    counts.ephemeral += record.definition.isEphemeral ? 1 : 0;
    if (record.value.isNone())
        noteWithoutValue(record, counts);
    const ValueFormats format = record.mark.get().format;
    counts.plain += format == only(ValueFormat::plain) ? 1 : 0;
    counts.aes256cbc += format == only(ValueFormat::aes256cbc) ? 1 : 0;
    counts.sealed += format == only(ValueFormat::jwe) ? 1 : 0;
    if (!record.value.isUnreadable())
        return;
    ++counts.unreadable;
    if (const auto &missing = record.value.cause().missingKey) {
        auto &byKey = counts.unreadableByKey;
        const bool hasRoom = byKey.size() < DriverReport::kMaxMissingKeys;
        ++byKey[hasRoom || byKey.contains(*missing) ? *missing : std::string()];
    }
}

/// Empty if it could not be read.
std::optional<DriverReport::Counts> countsOf(const SecretStore &store) {
    DriverReport::Counts counts;
    counts.storedWithoutValue.emplace();
    try {
        for (const RecordPtr &record : store.all())
            count(*record, counts);
    } catch (const Error &) {
        return std::nullopt;
    }
    return counts;
}

/// Does `work`, which others do not wait for; what it raises goes to the log, behind `what`.
template <typename Work>
void doLogged(const char *what, const Work &work) noexcept {
    try {
        work();
    } catch (const std::exception &exception) {
        libvirtAdminLog().failure(what, exception);
    }
}

constexpr const char *kNotReported = "keyhold status will not know what changed: ";

} // namespace

std::unique_ptr<StoreDirectory> Instance::openDirectory(const InstancePaths &paths) {
    makeDirectory("config", paths.configDirectory);
    makeDirectory("state", paths.stateDirectory);
    return std::make_unique<StoreDirectory>(posixFileSystem(), paths.configDirectory);
}

Instance::Instance(InstancePaths paths, std::unique_ptr<StoreLock> lock,
                   std::unique_ptr<StoreDirectory> directory, Inhibitor &inhibitor,
                   std::shared_ptr<Events> events)
    : isDaemon_(false),
      paths_(std::move(paths)),
      inhibitor_(inhibitor),
      directoryStatus_(directory->status()),
      lock_(std::move(lock)),
      directoryLock_(
          std::make_unique<DirectoryLock>(*directory, retryFor(kLockPatience), libvirtAdminLog())),
      events_(std::move(events)),
      store_(std::make_shared<DirectoryBackend>(std::move(directory), libvirtAdminLog()), policy_,
             libvirtAdminLog()),
      reportFile_(paths_.stateDirectory),
      reporting_(kReportPeriod, [this] { writeReport(); }),
      reencryption_(store_, libvirtAdminLog(), [this] { announce(); }) {
    readKeys();
    store_.load();
    tellMemory(libvirtAdminLog());
    // Here and now: a program may close its root again before a thread had come far, or fork.
    store_.reencrypt([] { return false; });
    writeReport();
}

Instance::Instance(const InstancePaths &paths, Inhibitor &inhibitor)
    : isDaemon_(true),
      paths_(paths),
      inhibitor_(inhibitor),
      events_(std::make_shared<Events>()),
      store_(openBackend(kLockPatience, Opening::start), policy_, libvirtAdminLog()),
      reportFile_(paths_.stateDirectory),
      reporting_(kReportPeriod, [this] { writeReport(); }),
      reencryption_(store_, libvirtAdminLog(), [this] { announce(); }) {
    readKeys();
    store_.load();
    tellLoaded();
    announce();
    reencryption_.request();
}

void Instance::tellLoaded() {
    const auto counts = countsOf(store_);
    if (!counts)
        return; // why, is in the log
    std::string text = std::to_string(counts->secrets) +
                       (counts->secrets == 1 ? " secret is" : " secrets are") + " served from " +
                       inQuotes(paths_.configDirectory);
    if (counts->unreadable > 0)
        text += ", " + std::to_string(counts->unreadable) + " of them without " +
                (counts->unreadable == 1 ? "its value" : "their values");
    libvirtAdminLog().notice(text);
}

void Instance::end() noexcept {
    reencryption_.stop();
    reporting_.stop();
    trail_.end();
    doLogged("ephemeral secrets were not counted: ", [this] {
        const std::size_t count = store_.ephemeralCount();
        if (count == 0)
            return;
        libvirtAdminLog().notice(
            std::to_string(count) +
            (count == 1 ? " ephemeral secret ends" : " ephemeral secrets end") +
            " with this process; what defined " + (count == 1 ? "it" : "them") +
            " must do so again");
    });
}

void Instance::readKeys() {
    HostKeys keys = readHostKeys(paths_, libvirtAdminLog());
    policy_->set(std::move(keys.policy));
    if (keys.hasSettings || !trail_.isRecorded()) // one that is there goes on
        trail_.follow(keys.settings, paths_);
    settingsRead_ = {paths_.settingsFile, keys.settingsStatus};
    settingsReadAt_ = std::time(nullptr);
}

void Instance::takeLock(std::chrono::milliseconds patience, Opening opening) {
    for (const Retry retry = retryFor(patience);;) {
        try {
            lock_ = std::make_unique<StoreLock>(posixFileSystem(), paths_.stateDirectory);
            return;
        } catch (const LockedError &error) {
            // Our command ends by itself, and a daemon that a socket starts beside it must be
            // there.
            const bool isCommand = processName(error.holder()) == kCommandName;
            if (opening == Opening::start && !isCommand)
                throw;
            if (!isCommand || !retry()) {
                isRefused_ = true;
                throw Error(error.code(), error.message() + inUseBy(error.holder()),
                            error.systemErrno());
            }
        }
    }
}

std::shared_ptr<Backend> Instance::openBackend(std::chrono::milliseconds patience,
                                               Opening opening) {
    std::optional<Error> failure;
    // The analysis does not see that the lock is held in a lambda that another one calls.
    const auto attempt = [&](const auto &step) NO_THREAD_SAFETY_ANALYSIS {
        try {
            step();
        } catch (const LockedError &) {
            throw;
        } catch (const Error &error) {
            // Once, not at each change that is refused.
            if (!failure_ || patience.count() > 0 || failure_->get().message() != error.message())
                libvirtAdminLog().error("the secrets in " + inQuotes(paths_.configDirectory) +
                                        " cannot be served in full: " + error.fullText());
            failure = error;
        }
    };

    isRefused_ = false;
    attempt([&] { makeDirectory("state", paths_.stateDirectory); });
    if (!failure && !lock_)
        attempt([&]() REQUIRES(reloading_) { takeLock(patience, opening); });
    std::unique_ptr<StoreDirectory> directory;
    attempt([&]() REQUIRES(reloading_) {
        makeDirectory("config", paths_.configDirectory);
        directory = std::make_unique<StoreDirectory>(posixFileSystem(), paths_.configDirectory);
        directoryStatus_ = directory->status();
    });
    directoryLock_.reset(); // it may be of another directory
    if (!failure)
        attempt([&]() REQUIRES(reloading_) {
            try {
                directoryLock_ = std::make_unique<DirectoryLock>(*directory, retryFor(patience),
                                                                 libvirtAdminLog());
            } catch (const LockedError &error) {
                isRefused_ = true;
                throw Error(error);
            }
        });
    std::unique_ptr<Backend> readable;
    if (directory)
        readable = std::make_unique<DirectoryBackend>(std::move(directory), libvirtAdminLog());
    isDegraded_ = failure.has_value();
    if (!failure)
        return readable;
    if (isRefused_)
        isLockedOut_ = true;
    if (failure_)
        failure_->set(*failure);
    else
        failure_ = std::make_shared<CurrentFailure>(*failure);
    return std::make_shared<DegradedBackend>(paths_.configDirectory, std::move(readable), failure_);
}

void Instance::takeBackend(std::shared_ptr<Backend> backend) {
    const bool isDegraded = std::exchange(isDegraded_, true); // until it is in place
    try {
        backend->start();
    } catch (const Error &error) {
        failure_->set(error);
        throw;
    }
    store_.replaceBackend(std::move(backend));
    isDegraded_ = isDegraded;
}

void Instance::prepareChange() {
    if (!isLockedOut_)
        return;
    {
        const MutexLock lock(reloading_);
        if (!isLockedOut_)
            return;
        if (isDegraded_) {
            auto backend = openBackend(std::chrono::milliseconds(0), Opening::again);
            if (isRefused_)
                return; // the one in place has the reason of now
            takeBackend(std::move(backend));
        }
        // The other process may have changed anything, and one that only reads is not informed of
        // another key.
        readKeys();
        store_.reload();
        isLockedOut_ = false;
    }
    announce();
    reencryption_.request();
}

void Instance::reload() {
    try {
        takeOver();
    } catch (const std::exception &) {
        announce(); // of what it had come to
        throw;
    }
    announce();
    reencryption_.request();
}

void Instance::takeOver() {
    const MutexLock lock(reloading_);
    readKeys();
    if (isDegraded_)
        takeBackend(openBackend(kLockPatience, Opening::again));
    store_.reload();
    isLockedOut_ = isRefused_;
}

void Instance::announce() noexcept {
    tellMemory(libvirtAdminLog());
    doLogged("watchers were not informed of a change: ",
             [this] { runner_.request([this] { sendEvents(); }); });
    doLogged("libvirt was not informed whether it may end: ", [this] {
        // While an ephemeral secret would be lost, or values are re-encrypted, it may not.
        inhibitor_.follow([this] { return store_.hasEphemeral() || reencryption_.isAtWork(); });
    });
    if (isDaemon_)
        reportSoon();
}

void Instance::reportSoon() noexcept {
    doLogged(kNotReported, [this] { reporting_.request(); });
}

void Instance::writeReport() noexcept {
    doLogged(kNotReported, [this] { reportFile_.write(describe(), libvirtAdminLog()); });
}

DriverReport Instance::describe() {
    DriverReport report;
    {
        const MutexLock lock(reloading_);
        report.settings = settingsRead_;
        report.settingsRead = settingsReadAt_;
        report.directoryStatus = directoryStatus_;
        if (isDegraded_)
            report.failure = failure_->get().fullText();
    }
    report.libvirtRelease = abi::runningRelease();
    report.directory = paths_.configDirectory;
    const std::shared_ptr<const SealingPolicy> policy = policy_->get();
    const auto format = store_.formatOfNew();
    if (!format) {
        report.newValues = DriverReport::NewValues::refused;
        report.whyRefused = report.failure.empty() ? policy->rules().complaint : report.failure;
    } else if (*format != ValueFormat::plain) {
        report.newValues = DriverReport::NewValues::sealed;
    }
    for (const Key &key : policy->keyring().keys())
        report.keys.push_back(key.id());
    report.hasCurrentKey = policy->keyring().current() != nullptr;
    report.missingKeys = policy->keyring().missing();
    const auto memory = key_memory::report();
    report.keyMemory = memory ? keyMemoryKindName(memory->kind) : "none";
    report.counts = countsOf(store_);
    report.toReencrypt = store_.reencryptableCount();
    report.isReencrypting = reencryption_.isAtWork();
    report.lastReencryption = store_.lastReencryption();
    return report;
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
