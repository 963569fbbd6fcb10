// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/connection_uri.h"

#include "abi/symbols.h"
#include "remote/error_report.h"

#include <cstring>
#include <glib.h>
#include <memory>
#include <span>

namespace keyhold::connection_uri {

namespace {

constexpr const char *kEmbeddedPath = "/embed";

const char *pathOf(virConnectPtr connection) {
    const abi::Uri *uri = abi::connectionUri(connection);
    return uri && uri->path ? uri->path : "";
}

} // namespace

void requireDaemonPath(virConnectPtr connection, bool isPrivileged) {
    if (!abi::symbols().virConnectValidateURIPath(pathOf(connection), "secret", isPrivileged))
        throw ErrorAlreadyRaised();
}

std::string requireEmbeddedRoot(virConnectPtr connection) {
    // virURIGetParam only reads, and raises the error that clients know if there is no root.
    auto *uri = const_cast<abi::Uri *>(abi::connectionUri(connection));
    const char *root = abi::symbols().virURIGetParam(uri, "root");
    if (!root)
        throw ErrorAlreadyRaised();
    if (std::strcmp(pathOf(connection), kEmbeddedPath) != 0)
        throw Error(ErrorCode::internal, "URI must be secret:///embed");
    return root;
}

std::optional<std::string> embeddedRootOf(virConnectPtr connection) {
    const abi::Uri *uri = abi::connectionUri(connection);
    if (!uri || std::strcmp(pathOf(connection), kEmbeddedPath) != 0)
        return std::nullopt;
    for (const abi::UriParam &param : std::span(uri->params, uri->paramsCount)) {
        if (std::strcmp(param.name, "root") == 0 && param.value)
            return param.value;
    }
    return std::nullopt;
}

std::string shown(virConnectPtr connection) {
    const abi::Uri *uri = abi::connectionUri(connection);
    if (!uri)
        return {};
    const auto text = [](const char *part) { return std::string(part ? part : ""); };
    return text(uri->scheme) + "://" + text(uri->server) + text(uri->path);
}

std::string forEmbeddedRoot(const std::string &root) {
    const std::unique_ptr<char, void (*)(void *)> escaped(
        g_uri_escape_string(root.c_str(), "/", FALSE), g_free);
    return std::string("secret:///embed?root=") + escaped.get();
}

} // namespace keyhold::connection_uri
