// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phase.h"

#include "files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

namespace keyhold {

namespace {

std::string prefixOf(const Scenario &scenario, std::size_t index) {
    if (index >= scenario.phases.size())
        return "helper " + std::to_string(index - scenario.phases.size() + 1) + "/";
    return scenario.phases.size() > 1 ? std::to_string(index + 1) + "/" : std::string();
}

/// All secrets of a connection, sorted by uuid.
std::vector<Secret> allSecrets(virConnectPtr connection, unsigned int flags) {
    virSecretPtr *array = nullptr;
    int count = virConnectListAllSecrets(connection, &array, flags);
    std::vector<Secret> secrets;
    for (int i = 0; i < count; i++)
        secrets.emplace_back(array[i]);
    std::free(array);
    auto uuidOf = [](const Secret &secret) {
        char text[VIR_UUID_STRING_BUFLEN] = "";
        virSecretGetUUIDString(secret.get(), text);
        return std::string(text);
    };
    std::sort(secrets.begin(), secrets.end(),
              [&](const Secret &a, const Secret &b) { return uuidOf(a) < uuidOf(b); });
    return secrets;
}

std::string describeValue(const Secret &secret) {
    std::size_t size = 0;
    virResetLastError();
    unsigned char *bytes = virSecretGetValue(secret.get(), &size, 0);
    if (!bytes)
        return describeError();
    std::string text(reinterpret_cast<const char *>(bytes), size);
    std::free(bytes);
    return "value of " + std::to_string(size) + " bytes " + quote(text);
}

void mustSucceed(int result, const char *what) {
    if (result < 0)
        throw std::runtime_error(std::string(what) + ": " + describeError());
}

std::string describeDefinition(const Secret &secret) {
    virResetLastError();
    char *xml = virSecretGetXMLDesc(secret.get(), 0);
    std::string text = xml ? quote(xml) : describeError();
    std::free(xml);
    return text;
}

} // namespace

Phase::Phase(const Scenario &scenario, std::size_t index, const std::string &root)
    : scenario_(scenario),
      root_(root),
      transcript_(root, prefixOf(scenario, index)),
      logPath_(scratch("log." + std::to_string(getpid()))) {
    std::string outputs = "4:file:" + logPath_;
    setenv("LIBVIRT_LOG_OUTPUTS", outputs.c_str(), 1);
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    mustSucceed(virInitialize(), "virInitialize");
    mustSucceed(virEventRegisterDefaultImpl(), "virEventRegisterDefaultImpl");
}

std::string Phase::scratch(const std::string &name) const {
    return root_ + ".scratch/" + name;
}

std::string Phase::file(const std::string &name) const {
    return root_ + "/etc/secrets/" + name;
}

std::string Phase::uriOf(const std::string &root) {
    return "secret:///embed?root=" + root;
}

void Phase::open(const std::string &key) {
    connection_ = openUri(key, uri());
}

void Phase::close(const std::string &key) {
    virConnectPtr connection = connection_.release();
    attempt(key, [&] { return virConnectClose(connection); });
}

Connection Phase::openUri(const std::string &key, const std::string &uri, unsigned int flags) {
    return Connection(
        attempt(key, [&] { return virConnectOpenAuth(uri.c_str(), nullptr, flags); }));
}

Secret Phase::defineXml(const std::string &key, const std::string &xml, unsigned int flags) {
    return Secret(
        attempt(key, [&] { return virSecretDefineXML(connection(), xml.c_str(), flags); }));
}

Secret Phase::define(const std::string &key, const Definition &definition, unsigned int flags) {
    return defineXml(key, toXml(definition), flags);
}

Secret Phase::lookup(const std::string &key, const std::string &uuid) {
    return Secret(
        attempt(key, [&] { return virSecretLookupByUUIDString(connection(), uuid.c_str()); }));
}

Secret Phase::lookupByUsage(const std::string &key, int type, const char *id) {
    return Secret(attempt(key, [&] { return virSecretLookupByUsage(connection(), type, id); }));
}

void Phase::undefine(const std::string &key, const Secret &secret) {
    attempt(key, [&] { return virSecretUndefine(secret.get()); });
}

void Phase::dump(const std::string &key, const Secret &secret) {
    note(key, describeDefinition(secret));
}

void Phase::setValue(const std::string &key, const Secret &secret, std::string_view value) {
    attempt(key, [&] {
        return virSecretSetValue(
            secret.get(), reinterpret_cast<const unsigned char *>(value.data()), value.size(), 0);
    });
}

Value Phase::getValue(const std::string &key, const Secret &secret) {
    std::size_t size = 0;
    virResetLastError();
    unsigned char *bytes = virSecretGetValue(secret.get(), &size, 0);
    Value value;
    if (bytes) {
        value = {true, std::string(reinterpret_cast<const char *>(bytes), size)};
        std::free(bytes);
        note(key, "value of " + std::to_string(size) + " bytes " + quote(value.bytes));
    } else {
        note(key, describeError());
    }
    return value;
}

Secret Phase::defineWithValue(const std::string &key, const Definition &definition,
                              std::string_view value) {
    Secret secret = define(key, definition);
    setValue(key + ", value", secret, value);
    return secret;
}

void Phase::memory(const std::string &key) {
    std::vector<Secret> secrets = allSecrets(connection(), 0);
    note(key, std::to_string(secrets.size()) + " secrets");
    for (const Secret &secret : secrets) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        virSecretGetUUIDString(secret.get(), uuid);
        note(key + "/" + uuid, describeDefinition(secret));
        note(key + "/" + uuid + " value", describeValue(secret));
    }
}

void Phase::list(const std::string &key, unsigned int flags) {
    std::vector<std::string> lines;
    for (const Secret &secret : allSecrets(connection(), flags))
        lines.push_back(transcript_.normalise(render(secret.get())));
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string &line : lines)
        text += (text.empty() ? "" : "; ") + line;
    note(key, text.empty() ? "no secrets" : text);
}

void Phase::disk(const std::string &key) {
    visitTree(root_, [&](const std::string &name, const std::string &text) {
        note(key + "/" + name, text);
    });
}

void Phase::secretFiles(const std::string &key) {
    int others = 0;
    visitTree(root_ + "/etc/secrets", [&](const std::string &name, const std::string &text) {
        if (isSecretFileName(name))
            note(key + "/" + name, text);
        else if (name != ".")
            others++;
    });
    note(key + ", other files", std::to_string(others));
}

bool Phase::errorLogged() {
    std::ifstream log(logPath_);
    log.seekg(static_cast<std::streamoff>(logSeen_));
    bool found = false;
    for (std::string line; std::getline(log, line);) {
        logSeen_ += line.size() + 1;
        // libvirt itself logs at each first open that there is no access manager yet.
        bool libvirtsOwn = line.find("No access manager registered") != std::string::npos;
        found = found || (line.find(" error : ") != std::string::npos && !libvirtsOwn);
    }
    return found;
}

std::vector<std::string> Phase::helperArguments(std::size_t helper) const {
    return {"--phase", scenario_.name, root_, std::to_string(scenario_.phases.size() + helper)};
}

void Phase::runHelper(const std::string &key, std::size_t helper) {
    Process process(helperArguments(helper), errorOutput());
    note(key, process.wait());
}

void Phase::pumpEvents() {
    // A timer that is due now is dispatched in the same round as the queue's own; three rounds also
    // cover what callbacks queue.
    for (int round = 0; round < 3; round++) {
        bool fired = false;
        int timer = virEventAddTimeout(
            0,
            [](int id, void *opaque) {
                *static_cast<bool *>(opaque) = true;
                virEventRemoveTimeout(id);
            },
            &fired, nullptr);
        while (timer >= 0 && !fired)
            virEventRunDefaultImpl();
    }
}

} // namespace keyhold
