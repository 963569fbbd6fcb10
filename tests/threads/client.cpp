// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/client.h"

#include <cstdio>
#include <cstdlib>
#include <map>

namespace keyhold::client {

std::string uriOf(const std::string &root, const std::string &scheme) {
    return scheme + ":///embed?root=" + root;
}

Connection openRoot(const std::string &root) {
    return Connection(virConnectOpen(uriOf(root).c_str()));
}

std::string uuidOf(unsigned number) {
    char text[VIR_UUID_STRING_BUFLEN];
    std::snprintf(text, sizeof text, "00000000-0000-0000-0000-0000000000%02x", number & 0xff);
    return text;
}

unsigned numberOf(virSecretPtr secret) {
    unsigned char uuid[VIR_UUID_BUFLEN] = {};
    virSecretGetUUID(secret, uuid);
    return uuid[VIR_UUID_BUFLEN - 1];
}

std::string toXml(const Definition &definition) {
    std::string xml = std::string("<secret ephemeral='") + (definition.isEphemeral ? "yes" : "no") +
                      "'><uuid>" + uuidOf(definition.number) + "</uuid><description>" +
                      definition.description + "</description>";
    if (!definition.type.empty()) {
        const std::string element = definition.type == "volume"  ? "volume"
                                    : definition.type == "iscsi" ? "target"
                                                                 : "name";
        xml += "<usage type='" + definition.type + "'><" + element + ">" + definition.id + "</" +
               element + "></usage>";
    }
    return xml + "</secret>";
}

Secret define(virConnectPtr connection, const Definition &definition) {
    return Secret(virSecretDefineXML(connection, toXml(definition).c_str(), 0));
}

Secret lookup(virConnectPtr connection, unsigned number) {
    return Secret(virSecretLookupByUUIDString(connection, uuidOf(number).c_str()));
}

bool setValue(virSecretPtr secret, const std::string &value) {
    return virSecretSetValue(secret, reinterpret_cast<const unsigned char *>(value.data()),
                             value.size(), 0) == 0;
}

std::optional<std::string> valueOf(virSecretPtr secret) {
    std::size_t size = 0;
    unsigned char *value = virSecretGetValue(secret, &size, 0);
    if (!value)
        return std::nullopt;
    std::string out(reinterpret_cast<const char *>(value), size);
    std::free(value);
    return out;
}

std::optional<std::string> xmlOf(virSecretPtr secret) {
    char *xml = virSecretGetXMLDesc(secret, 0);
    if (!xml)
        return std::nullopt;
    std::string out = xml;
    std::free(xml);
    return out;
}

std::optional<std::vector<Secret>> listAll(virConnectPtr connection, unsigned int flags) {
    virSecretPtr *secrets = nullptr;
    const int count = virConnectListAllSecrets(connection, &secrets, flags);
    if (count < 0)
        return std::nullopt;
    std::vector<Secret> out;
    for (int i = 0; i < count; ++i)
        out.emplace_back(secrets[i]);
    std::free(secrets);
    return out;
}

std::string dumpPersistent(virConnectPtr connection) {
    const auto secrets = listAll(connection, VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL);
    if (!secrets)
        return describeError() + "\n";
    std::map<unsigned, std::string> found;
    for (const Secret &secret : *secrets) {
        const auto value = valueOf(secret.get());
        found[numberOf(secret.get())] =
            xmlOf(secret.get()).value_or("no document\n") +
            (value ? "value: " + *value : "no value: " + describeError()) + "\n";
    }
    std::string out;
    for (const auto &[number, text] : found)
        out += text;
    return out;
}

std::string describeError() {
    const virErrorPtr error = virGetLastError();
    if (!error)
        return "no error";
    return "error " + std::to_string(error->code) + " " + std::to_string(error->domain) + " " +
           (error->message ? error->message : "");
}

std::string lockedText(const std::string &root) {
    return "error 38 0 Failed to acquire pid file '" + lockFile(root) +
           "': Resource temporarily unavailable";
}

std::string lockFile(const std::string &root) {
    return root + "/run/secrets/driver.pid";
}

std::string secretsDirectory(const std::string &root) {
    return root + "/etc/secrets";
}

} // namespace keyhold::client
