// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/libvirt_admin_log.h"

#include "abi/libvirt_log.h"
#include "conf/source_place.h"

#include <cstddef>
#include <new>

namespace keyhold {

namespace {

// The store does not say where it speaks; libvirt's log shows this in place of a function.
void write(abi::LogPriority priority, const char *text) noexcept {
    abi::log(priority, text, SourcePlace::current().file(), "secretStore", 0);
}

class LibvirtAdminLog : public AdminLog {
  public:
    void info(const std::string &text) override { write(abi::LogPriority::info, text.c_str()); }
    // libvirt has no priority between the two, and as shipped it shows warnings and errors.
    void notice(const std::string &text) override { warning(text); }
    void warning(const std::string &text) override {
        write(abi::LogPriority::warning, text.c_str());
    }
    void error(const std::string &text) override { write(abi::LogPriority::error, text.c_str()); }

  private:
    void failureWithoutMemory(const char *text) noexcept override {
        write(abi::LogPriority::error, text);
    }
};

} // namespace

AdminLog &libvirtAdminLog() {
    alignas(LibvirtAdminLog) static std::byte place[sizeof(LibvirtAdminLog)]; // it takes no memory
    static auto *const log = new (place) LibvirtAdminLog;
    return *log;
}

} // namespace keyhold
