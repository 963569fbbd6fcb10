// SPDX-License-Identifier: LGPL-2.1-or-later
// Setting and getting values.
#include "phase.h"

#include <cstdlib>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; i++)
        bytes[i] = static_cast<char>((i * 131 + i / 256) & 0xff);
    return bytes;
}

void roundTrip(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne});
    phase.getValue("get, unset", secret);
    for (std::string_view value :
         {std::string_view("hello"), std::string_view("with\0nul\0", 9), std::string_view("\0", 1),
          std::string_view("x"), std::string_view("two lines\n"), std::string_view("hello")}) {
        phase.setValue("set", secret, value);
        phase.getValue("get", secret);
        phase.secretFiles("files");
    }
}

void ephemeralRoundTrip(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne, .ephemeral = "yes"});
    phase.getValue("get, unset", secret);
    phase.setValue("set", secret, "hello");
    phase.getValue("get", secret);
    phase.setValue("set again", secret, "other");
    phase.getValue("get again", secret);
    phase.disk("disk");
}

void reload(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void sizes(Phase &phase) {
    phase.open();
    unsigned number = 0;
    for (std::size_t size : {std::size_t{255}, std::size_t{4096}, std::size_t{65536},
                             std::size_t{65537}, std::size_t{1} << 20, std::size_t{16} << 20}) {
        Secret secret = phase.define("define", {.uuid = chosenUuid(++number)});
        std::string key = std::to_string(size) + " bytes";
        std::string bytes = pattern(size);
        phase.setValue("set " + key, secret, bytes);
        Value read = phase.getValue("get " + key, secret);
        phase.note("same " + key, read.bytes == bytes ? "yes" : "no");
    }
}

void empty(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne});
    phase.setValue("set empty when unset", secret, "");
    phase.getValue("get", secret);
    phase.secretFiles("files");
    phase.setValue("set", secret, "hello");
    phase.setValue("set empty over a value", secret, "");
    phase.getValue("get after empty", secret);
    phase.secretFiles("files after empty");
    Secret ephemeral =
        phase.defineWithValue("define ephemeral", {.uuid = chosenUuid(2), .ephemeral = "yes"}, "e");
    phase.setValue("set empty over an ephemeral value", ephemeral, "");
    phase.getValue("get ephemeral after empty", ephemeral);
}

void arguments(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    const auto *bytes = reinterpret_cast<const unsigned char *>("other");
    std::size_t size = 0;
    phase.attempt("set NULL", [&] { return virSecretSetValue(secret.get(), nullptr, 0, 0); });
    phase.attempt("set NULL of 5", [&] { return virSecretSetValue(secret.get(), nullptr, 5, 0); });
    phase.attempt("set on NULL", [&] { return virSecretSetValue(nullptr, bytes, 5, 0); });
    phase.attempt("get of NULL", [&] {
        return reinterpret_cast<const char *>(virSecretGetValue(nullptr, &size, 0));
    });
    phase.attempt("get without a size", [&] {
        return reinterpret_cast<const char *>(virSecretGetValue(secret.get(), nullptr, 0));
    });
    for (unsigned int flags : {1U, 2U, 0x80000000U, 0xffffffffU}) {
        std::string suffix = " with flags " + std::to_string(flags);
        phase.attempt("set" + suffix,
                      [&] { return virSecretSetValue(secret.get(), bytes, 5, flags); });
        phase.attempt("get" + suffix, [&] {
            return reinterpret_cast<const char *>(virSecretGetValue(secret.get(), &size, flags));
        });
    }
    phase.getValue("the value is as before", secret);
}

void privateValue(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne, .isPrivate = "yes"});
    phase.getValue("get, unset", secret);
    phase.setValue("set", secret, "hello");
    phase.getValue("get", secret);
    phase.setValue("set again", secret, "other");
    phase.secretFiles("files");
    Secret ephemeral = phase.defineWithValue(
        "define ephemeral", {.uuid = chosenUuid(2), .ephemeral = "yes", .isPrivate = "yes"}, "e");
    phase.getValue("get ephemeral", ephemeral);
}

void ownCopy(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne});
    std::string bytes = "hello";
    phase.setValue("set", secret, bytes);
    bytes.assign(5, 'x');
    phase.getValue("get after the client's buffer changed", secret);
    std::size_t size = 0;
    unsigned char *first = virSecretGetValue(secret.get(), &size, 0);
    if (first)
        first[0] = 'J';
    std::free(first);
    phase.getValue("get after the returned buffer changed", secret);
}

} // namespace

std::vector<Scenario> valueScenarios() {
    return {{"values.round-trip", {roundTrip, reload}},
            {"values.ephemeral", {ephemeralRoundTrip, reload}},
            {"values.sizes", {sizes, reload}},
            {"values.empty", {empty, reload}},
            {"values.arguments", {arguments}},
            {"values.private", {privateValue, reload}},
            {"values.own-copy", {ownCopy}}};
}

} // namespace keyhold
