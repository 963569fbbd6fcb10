// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inhibit.h"

#include <cstdlib>
#include <mutex>

#include <dlfcn.h>

namespace {

using InhibitCallback = void (*)(bool inhibit, void *opaque);
// The same in libvirt 9.0.0, 11.3.0 and 12.8.0.
using StateInitialize = int (*)(bool privileged, bool mandatory, const char *root, bool monolithic,
                                InhibitCallback callback, void *opaque);

std::mutex callsLock;
std::string *calls = nullptr;
bool chosen = false;
bool counting = false;

void record(bool inhibit, void *) {
    std::lock_guard lock(callsLock);
    if (!calls)
        calls = new std::string;
    *calls += (calls->empty() ? "" : " ") + std::string(inhibit ? "true" : "false");
}

} // namespace

namespace keyhold::inhibit {

void choose(Mode mode) {
    chosen = true;
    counting = mode == Mode::count;
}

std::string takeCalls() {
    std::lock_guard lock(callsLock);
    std::string text = calls ? *calls : std::string();
    if (calls)
        calls->clear();
    return text.empty() ? "none" : text;
}

} // namespace keyhold::inhibit

// libvirt.so calls its own virStateInitialize through its procedure linkage table, so this
// definition in the program comes first.
extern "C" __attribute__((visibility("default"))) int
virStateInitialize(bool privileged, bool mandatory, const char *root, bool monolithic,
                   InhibitCallback callback, void *opaque) {
    auto real = reinterpret_cast<StateInitialize>(dlsym(RTLD_NEXT, "virStateInitialize"));
    if (!real)
        return -1;
    const char *wish = std::getenv("KEYHOLD_TEST_INHIBIT");
    bool count = chosen ? counting : wish && std::string(wish) == "count";
    return real(privileged, mandatory, root, monolithic, count ? record : callback, opaque);
}
