// SPDX-License-Identifier: LGPL-2.1-or-later
#include "observe.h"

#include "transcript.h"

namespace keyhold {

namespace {

std::string orNull(const char *text) {
    return text ? quote(text) : "null";
}

} // namespace

std::string describeError() {
    virErrorPtr error = virGetLastError();
    if (!error || error->code == VIR_ERR_OK)
        return "failed without an error";
    return "error " + std::to_string(error->code) + " domain " + std::to_string(error->domain) +
           " level " + std::to_string(error->level) + " " + orNull(error->message) + " str1 " +
           orNull(error->str1) + " str2 " + orNull(error->str2) + " str3 " + orNull(error->str3) +
           " int1 " + std::to_string(error->int1) + " int2 " + std::to_string(error->int2);
}

std::string render(int result) {
    return std::to_string(result);
}

std::string render(unsigned long result) {
    return std::to_string(result);
}

std::string render(const char *text) {
    return orNull(text);
}

std::string render(virConnectPtr) {
    return "a connection";
}

std::string render(virSecretPtr secret) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    if (virSecretGetUUIDString(secret, uuid) < 0)
        return "a secret without a uuid: " + describeError();
    return std::string("secret ") + uuid + " type " +
           std::to_string(virSecretGetUsageType(secret)) + " id " +
           orNull(virSecretGetUsageID(secret));
}

} // namespace keyhold
