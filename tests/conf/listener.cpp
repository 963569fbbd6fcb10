// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/listener.h"

#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace keyhold {

Listener::Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 ||
        bind(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        listen(socket_, 8) != 0)
        throw std::system_error(errno, std::generic_category(), "listener");
}

Listener::~Listener() {
    close(socket_);
}

std::string Listener::url() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr *>(&address), &size);
    return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

bool Listener::wasCalled() const {
    const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0)
        return false;
    close(connection);
    return true;
}

} // namespace keyhold
