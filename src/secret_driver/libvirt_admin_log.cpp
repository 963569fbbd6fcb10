// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/libvirt_admin_log.h"

#include "abi/libvirt_log.h"

#include <cstddef>
#include <new>

namespace keyhold {

namespace {

// The store does not say where it speaks; libvirt's log shows this in place of a function.
constexpr SourcePlace kPlace{SourcePlace::current().path, "secretStore", 0};

class HostJournal : public Journal {
  public:
    void info(const std::string &text) override {
        abi::log(abi::LogPriority::info, text.c_str(), kPlace);
    }
    void warning(const std::string &text) override {
        abi::log(abi::LogPriority::warning, text.c_str(), kPlace);
    }
    void error(const std::string &text) override {
        abi::log(abi::LogPriority::error, text.c_str(), kPlace);
    }

  private:
    void failureWithoutMemory(const char *text) noexcept override {
        abi::log(abi::LogPriority::error, text, kPlace);
    }
};

} // namespace

Journal &hostJournal() {
    alignas(HostJournal) static std::byte place[sizeof(HostJournal)]; // it takes no memory
    static auto *const journal = new (place) HostJournal;
    return *journal;
}

} // namespace keyhold
