// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <memory>
#include <stdexcept>
#include <string>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

namespace keyhold {

/// One of libvirt's private functions, by name; the module under test finds its own the same way.
template <typename Function>
Function *privateFunction(const char *name) {
    static void *const library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
    void *const address = library ? dlsym(library, name) : nullptr;
    if (!address)
        throw std::runtime_error(std::string("libvirt has no ") + name);
    return reinterpret_cast<Function *>(address);
}

struct CloseConnection {
    void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
using Connection = std::unique_ptr<virConnect, CloseConnection>;

/// A connection to libvirt's own test driver, which has the URI that a test wants: every connection
/// here is a real one, and every URI went through libvirt's parser.
class ConnectionWithUri {
  public:
    explicit ConnectionWithUri(const std::string &uri);
    ~ConnectionWithUri();
    ConnectionWithUri(const ConnectionWithUri &) = delete;
    ConnectionWithUri &operator=(const ConnectionWithUri &) = delete;

    [[nodiscard]] virConnectPtr get() const { return connection_.get(); }

  private:
    Connection connection_;
    abi::Uri *parsed_; ///< has the connection's own fields while the connection has these
};

/// A libvirt that writes nothing to stderr and has raised no error on this thread yet.
class WithLibvirt : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override { virResetLastError(); }
};

/// The error of this thread, which must be there.
[[nodiscard]] virError lastError();

} // namespace keyhold
