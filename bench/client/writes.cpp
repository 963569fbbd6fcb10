// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/writes.h"

#include "common/fixed_secrets.h"
#include "common/threads.h"

#include <stdexcept>

namespace keyhold::bench {

namespace {

using Change = std::function<void(std::uint64_t number)>;

void define(const Target &target, const std::string &xml) {
    const Secret secret(virSecretDefineXML(target.connection, xml.c_str(), 0));
    if (!secret)
        fail("define");
}

void undefine(virSecretPtr secret) {
    if (virSecretUndefine(secret) != 0)
        fail("undefine");
}

/// Whether each writer changes secrets of its own, or one of the store's.
struct Operation {
    Change change;
    bool isOfOneSecret;
};

Operation operationNamed(const Target &target, const std::string &name) {
    const auto redefine = [=](std::uint64_t number) { define(target, xmlOf(number)); };
    const auto set = [=](std::uint64_t number) { setOne(lookup(target, number).get(), number); };
    if (name == "define" || name == "redefine")
        return {redefine, false};
    if (name == "set")
        return {set, false};
    if (name == "undefine")
        return {[=](std::uint64_t number) { undefine(lookup(target, number).get()); }, false};
    if (name == "ephemeral")
        return {[=](std::uint64_t number) {
                    define(target, xmlOf(number, true));
                    undefine(lookup(target, number).get());
                },
                false};
    if (name == "redefine-one")
        return {redefine, true};
    if (name == "set-one")
        return {set, true};
    throw std::runtime_error("no such change: " + name);
}

} // namespace

void setOne(virSecretPtr secret, std::uint64_t number) {
    const ValueBytes value = valueOf(number);
    if (virSecretSetValue(secret, value.data(), value.size(), 0) != 0)
        fail("set a value");
}

Figures writeRepeatedly(const Target &target, const Words &words) {
    const auto [change, isOfOneSecret] = operationNamed(target, words.word(0));
    const std::uint64_t times = words.number(1);
    const auto writers = static_cast<unsigned>(words.number(2));
    if (isOfOneSecret && writers > target.count)
        throw std::runtime_error("more writers than secrets");
    const double seconds = timeThreads(writers, [&](unsigned writer) {
        for (std::uint64_t i = 0; i < times; ++i)
            change(isOfOneSecret ? writer : target.count + writer * times + i);
    });
    return {{"seconds", seconds / static_cast<double>(times * writers)}};
}

} // namespace keyhold::bench
