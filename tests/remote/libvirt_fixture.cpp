// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/libvirt_fixture.h"

#include <utility>

namespace keyhold {

namespace {

abi::Uri *uriOf(const Connection &connection) {
    return const_cast<abi::Uri *>(abi::connectionUri(connection.get()));
}

} // namespace

ConnectionWithUri::ConnectionWithUri(const std::string &uri)
    : connection_(virConnectOpen("test:///default")),
      parsed_(privateFunction<abi::Uri *(const char *)>("virURIParse")(uri.c_str())) {
    if (!connection_ || !parsed_)
        throw std::runtime_error(virGetLastErrorMessage());
    std::swap(*uriOf(connection_), *parsed_);
}

ConnectionWithUri::~ConnectionWithUri() {
    std::swap(*uriOf(connection_), *parsed_);
    privateFunction<void(abi::Uri *)>("virURIFree")(parsed_);
}

void WithLibvirt::SetUp() {
    ASSERT_EQ(virInitialize(), 0);
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    virResetLastError();
}

virError lastError() {
    const virErrorPtr error = virGetLastError();
    if (!error)
        throw std::runtime_error("no error was raised");
    return *error;
}

} // namespace keyhold
