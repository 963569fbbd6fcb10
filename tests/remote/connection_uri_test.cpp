// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/connection_uri.h"

#include "remote/error_report.h"
#include "remote/libvirt_fixture.h"

#include <string>

namespace keyhold {

namespace {

class ConnectionUri : public WithLibvirt {
  protected:
    /// The root that a connection has whose URI names it: escaped by us, parsed by libvirt.
    static std::string roundTrip(const std::string &root) {
        const ConnectionWithUri connection(connection_uri::forEmbeddedRoot(root));
        return connection_uri::requireEmbeddedRoot(connection.get());
    }
};

class RootThatNeedsEscaping : public ConnectionUri,
                              public testing::WithParamInterface<const char *> {};

class PathThatNoDaemonServes : public ConnectionUri,
                               public testing::WithParamInterface<const char *> {};

} // namespace

TEST_P(RootThatNeedsEscaping, ComesBackAsTheSameDirectory) {
    EXPECT_EQ(roundTrip(GetParam()), GetParam());
}

TEST_P(RootThatNeedsEscaping, IsAlsoFoundInTheConnectionOfAnotherDriver) {
    std::string uri = connection_uri::forEmbeddedRoot(GetParam());
    uri.replace(0, uri.find(':'), "qemu");
    const ConnectionWithUri connection(uri);
    EXPECT_EQ(connection_uri::embeddedRootOf(connection.get()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(ConnectionUri, RootThatNeedsEscaping,
                         testing::Values("/srv/plain", "/", "/with blank/and  two", "/100%",
                                         "/%41%2f", "/a&root=/b", "/a;root=/b", "/a+b", "/a=b",
                                         "/a?b", "/a#b", "/a\"b'c", "/a\\b", "/[::1]", "/a:b@c",
                                         "/k\xc3\xb6nig/\xe2\x82\xac/\xf0\x9f\x94\x91", "/a\nb\tc",
                                         "/trailing/", "//double"));

TEST_F(ConnectionUri, EveryByteThatAPathCanHoldComesBack) {
    for (int byte = 1; byte < 256; ++byte) {
        const std::string root = std::string("/a") + static_cast<char>(byte) + "b";
        EXPECT_EQ(roundTrip(root), root) << "byte " << byte;
    }
}

TEST_F(ConnectionUri, TheFirstRootCountsAsItDoesForLibvirt) {
    const ConnectionWithUri connection("secret:///embed?a=b&root=/first&root=/second");
    EXPECT_EQ(connection_uri::requireEmbeddedRoot(connection.get()), "/first");
    EXPECT_EQ(connection_uri::embeddedRootOf(connection.get()), "/first");
}

TEST_F(ConnectionUri, AMissingRootIsToldInLibvirtsWords) {
    const ConnectionWithUri connection("secret:///embed?socket=/x");
    EXPECT_THROW((void)connection_uri::requireEmbeddedRoot(connection.get()), ErrorAlreadyRaised);
    EXPECT_EQ(lastError().code, VIR_ERR_INVALID_ARG);
    EXPECT_EQ(lastError().domain, VIR_FROM_URI);
    EXPECT_STREQ(lastError().message, "invalid argument: Missing URI parameter 'root'");
}

TEST_F(ConnectionUri, AnotherPathIsNoEmbeddedRoot) {
    for (const char *uri : {"secret:///system?root=/r", "secret:///embed/?root=/r",
                            "secret:?root=/r", "secret:///?root=/r", "secret:///Embed?root=/r"}) {
        const ConnectionWithUri connection(uri);
        try {
            const std::string root = connection_uri::requireEmbeddedRoot(connection.get());
            ADD_FAILURE() << uri << " gave " << root;
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::internal) << uri;
            EXPECT_EQ(error.message(), "URI must be secret:///embed") << uri;
        }
        EXPECT_EQ(connection_uri::embeddedRootOf(connection.get()), std::nullopt) << uri;
    }
}

TEST_F(ConnectionUri, AConnectionWithoutARootRaisesNothingWhenItIsOnlyAsked) {
    const ConnectionWithUri connection("qemu:///embed");
    EXPECT_EQ(connection_uri::embeddedRootOf(connection.get()), std::nullopt);
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(ConnectionUri, EachKindOfDaemonServesItsOwnPath) {
    const ConnectionWithUri system("secret:///system");
    const ConnectionWithUri session("secret:///session");
    EXPECT_NO_THROW(connection_uri::requireDaemonPath(system.get(), true));
    EXPECT_NO_THROW(connection_uri::requireDaemonPath(session.get(), false));
    EXPECT_THROW(connection_uri::requireDaemonPath(session.get(), true), ErrorAlreadyRaised);
    EXPECT_STREQ(lastError().message, "internal error: unexpected secret URI path '/session', try "
                                      "secret:///system");
    EXPECT_THROW(connection_uri::requireDaemonPath(system.get(), false), ErrorAlreadyRaised);
    EXPECT_STREQ(lastError().message, "internal error: unexpected secret URI path '/system', try "
                                      "secret:///session");
    EXPECT_EQ(lastError().domain, VIR_FROM_NONE);
}

TEST_P(PathThatNoDaemonServes, IsRefused) {
    const ConnectionWithUri connection(GetParam());
    EXPECT_THROW(connection_uri::requireDaemonPath(connection.get(), true), ErrorAlreadyRaised);
    EXPECT_EQ(lastError().code, VIR_ERR_INTERNAL_ERROR);
    EXPECT_THROW(connection_uri::requireDaemonPath(connection.get(), false), ErrorAlreadyRaised);
}

INSTANTIATE_TEST_SUITE_P(ConnectionUri, PathThatNoDaemonServes,
                         testing::Values("secret:///embed?root=/tmp/x", "secret:///embed",
                                         "secret:", "secret:/", "secret:///", "secret:///System",
                                         "secret:///system/", "secret:///%65mbed?root=/x"));

} // namespace keyhold
