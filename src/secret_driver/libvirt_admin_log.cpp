// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/libvirt_admin_log.h"

#include "abi/libvirt_log.h"

#include <cstddef>
#include <new>

namespace keyhold {

namespace {

// The store does not say where it speaks; libvirt's log shows this in place of a function.
constexpr SourcePlace kPlace{SourcePlace::current().path, "secretStore", 0};

class LibvirtAdminLog : public AdminLog {
  public:
    void info(const std::string &text) override {
        abi::log(abi::LogPriority::info, text.c_str(), kPlace);
    }
    // libvirt has no priority between the two, and as shipped it shows warnings and errors.
    void notice(const std::string &text) override { warning(text); }
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

AdminLog &libvirtAdminLog() {
    alignas(LibvirtAdminLog) static std::byte place[sizeof(LibvirtAdminLog)]; // it takes no memory
    static auto *const log = new (place) LibvirtAdminLog;
    return *log;
}

} // namespace keyhold
