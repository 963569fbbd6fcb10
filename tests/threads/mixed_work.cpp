// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/mixed_work.h"

#include <random>

namespace keyhold {

namespace {

constexpr unsigned kLargestValue = 3000;

/// A value that says whose it is and how long it must be.
std::string makeValue(unsigned number, unsigned size) {
    std::string value = std::to_string(number) + ":" + std::to_string(size) + ":";
    value.resize(value.size() + size, static_cast<char>('a' + size % 26));
    return value;
}

bool isValueOf(unsigned number, const std::string &value) {
    const auto colon = value.find(':');
    if (colon == std::string::npos)
        return false;
    const unsigned long size = std::strtoul(value.c_str() + colon + 1, nullptr, 10);
    return value == makeValue(number, static_cast<unsigned>(size));
}

bool sharesItsUse(unsigned number) {
    return number + 2 > MixedWork::kSecrets;
}

std::string idOf(unsigned number) {
    return sharesItsUse(number) ? "shared" : "id" + std::to_string(number);
}

} // namespace

/// One thread's part.
class MixedWork::Worker {
  public:
    Worker(MixedWork &work, virConnectPtr connection, unsigned seed)
        : work_(work),
          connection_(connection),
          random_(seed) {}

    void doSomething() {
        const unsigned number = 1 + below(kSecrets);
        switch (below(12)) {
        case 0:
        case 1:
        case 2:
            return define(number, false);
        case 3:
        case 4:
            return define(number, true);
        case 5:
        case 6:
            return withSecret(number, [&](virSecretPtr secret) { setValue(number, secret); });
        case 7:
            return withSecret(number, [&](virSecretPtr secret) { getValue(number, secret); });
        case 8:
            return withSecret(number, [&](virSecretPtr secret) { getXml(number, secret); });
        case 9:
            return list();
        case 10:
            return lookupByUsage(number);
        default:
            return withSecret(number, [&](virSecretPtr secret) {
                note("undefine", virSecretUndefine(secret) == 0);
            });
        }
    }

    [[nodiscard]] const std::map<std::string, unsigned> &successes() const { return successes_; }

  private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) % limit; }

    void note(const std::string &what, bool isSuccess) {
        if (isSuccess) {
            ++successes_[what];
            return;
        }
        const virErrorPtr error = virGetLastError();
        if (error && error->code == VIR_ERR_NO_SECRET)
            return; // another thread was faster
        if (error && error->code == VIR_ERR_INTERNAL_ERROR &&
            std::string(error->message).ends_with(" already defined for use with shared"))
            return; // the other one of the two has it
        work_.addUnexpected(what + ": " + client::describeError());
    }

    void require(bool isTrue, const std::string &what) {
        if (!isTrue)
            work_.addUnexpected(what);
    }

    template <typename Call>
    void withSecret(unsigned number, const Call &call) {
        const client::Secret secret = client::lookup(connection_, number);
        note("look up", secret != nullptr);
        if (secret)
            call(secret.get());
    }

    void define(unsigned number, bool isEphemeral) {
        const char *types[] = {"ceph", "tls", "iscsi"};
        const client::Secret secret =
            client::define(connection_, {.number = number,
                                         .type = sharesItsUse(number) ? "ceph" : types[below(3)],
                                         .id = idOf(number),
                                         .isEphemeral = isEphemeral,
                                         .description = std::to_string(below(1000))});
        note(isEphemeral ? "define ephemeral" : "define", secret != nullptr);
    }

    void setValue(unsigned number, virSecretPtr secret) {
        const bool isEmpty = below(8) == 0;
        note(isEmpty ? "remove the value" : "set",
             client::setValue(secret, isEmpty ? "" : makeValue(number, below(kLargestValue))));
    }

    void getValue(unsigned number, virSecretPtr secret) {
        const auto value = client::valueOf(secret);
        note("get", value.has_value());
        if (value)
            require(isValueOf(number, *value), "got '" + *value + "' of " + std::to_string(number));
    }

    void getXml(unsigned number, virSecretPtr secret) {
        const auto xml = client::xmlOf(secret);
        note("dump", xml.has_value());
        if (xml)
            require(xml->find("<uuid>" + client::uuidOf(number)) != std::string::npos &&
                        xml->find(">" + idOf(number) + "<") != std::string::npos,
                    "document of " + std::to_string(number) + ": " + *xml);
    }

    void list() {
        const auto secrets = client::listAll(connection_);
        note("list", secrets.has_value());
        if (!secrets)
            return;
        std::set<unsigned> numbers;
        std::set<std::string> uses;
        for (const client::Secret &secret : *secrets) {
            const std::string use = std::to_string(virSecretGetUsageType(secret.get())) +
                                    virSecretGetUsageID(secret.get());
            require(numbers.insert(client::numberOf(secret.get())).second,
                    "a uuid is listed twice");
            require(use == "0" || uses.insert(use).second, "use " + use + " is listed twice");
        }
    }

    void lookupByUsage(unsigned number) {
        const client::Secret secret(
            virSecretLookupByUsage(connection_, VIR_SECRET_USAGE_TYPE_CEPH, idOf(number).c_str()));
        note("look up by use", secret != nullptr);
        if (secret)
            require(idOf(client::numberOf(secret.get())) == idOf(number), "found by another's use");
    }

    MixedWork &work_;
    virConnectPtr connection_;
    std::minstd_rand random_;
    std::map<std::string, unsigned> successes_;
};

void MixedWork::run(virConnectPtr connection, unsigned seed, unsigned rounds) {
    Worker worker(*this, connection, seed + 1);
    for (unsigned round = 0; round < rounds; ++round)
        worker.doSomething();
    addSuccesses(worker.successes());
}

void MixedWork::addUnexpected(const std::string &text) {
    const std::lock_guard lock(mutex_);
    unexpected_.insert(text);
}

void MixedWork::addSuccesses(const std::map<std::string, unsigned> &counts) {
    const std::lock_guard lock(mutex_);
    for (const auto &[what, count] : counts)
        successes_[what] += count;
}

std::set<std::string> MixedWork::unexpected() const {
    const std::lock_guard lock(mutex_);
    return unexpected_;
}

std::map<std::string, unsigned> MixedWork::successes() const {
    const std::lock_guard lock(mutex_);
    return successes_;
}

} // namespace keyhold
