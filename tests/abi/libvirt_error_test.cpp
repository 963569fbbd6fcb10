// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_error.h"

#include "abi/release.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <thread>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

using namespace keyhold::abi;

namespace {

class LibvirtError : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(virInitialize(), 0);
        ASSERT_NE(runningRelease(), 0U);                      // its first call resets the error
        virSetErrorFunc(nullptr, [](void *, virErrorPtr) {}); // libvirt would write to stderr
        virResetLastError();
    }
    void TearDown() override { virResetLastError(); }
};

/// The one argument of libvirt's own formats: "%s" in 9.0.0, "%1$s" in later releases. Taken from
/// an error that libvirt raises itself.
std::string stockArgument() {
    virConnectPtr conn = virConnectOpen("test:///default");
    virNetworkLookupByName(conn, "nobody");
    const std::string format = virGetLastError()->str1;
    virConnectClose(conn);
    virResetLastError();
    return format.substr(format.find('%'));
}

} // namespace

TEST_F(LibvirtError, HasDomainCodeTextsAndNumbersOfAStockError) {
    const std::string argument = stockArgument();
    raiseError(VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching uuid 'u'");
    virErrorPtr error = virGetLastError();
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->domain, 30);
    EXPECT_EQ(error->code, 66);
    EXPECT_EQ(error->level, VIR_ERR_ERROR);
    EXPECT_STREQ(error->message, "Secret not found: no secret with matching uuid 'u'");
    EXPECT_STREQ(error->str1, ("Secret not found: " + argument).c_str());
    EXPECT_STREQ(error->str2, "no secret with matching uuid 'u'");
    EXPECT_EQ(error->str3, nullptr);
    EXPECT_EQ(error->int1, -1);
    EXPECT_EQ(error->int2, -1);
}

TEST_F(LibvirtError, PrefixAndDomainFollowTheArguments) {
    raiseError(VIR_FROM_XML, VIR_ERR_XML_ERROR, "expecting root element of 'secret'");
    EXPECT_EQ(virGetLastError()->domain, 5);
    EXPECT_EQ(virGetLastError()->code, 27);
    EXPECT_STREQ(virGetLastErrorMessage(), "XML error: expecting root element of 'secret'");
    raiseError(VIR_FROM_NONE, VIR_ERR_CONFIG_UNSUPPORTED, "root path must be absolute");
    EXPECT_EQ(virGetLastError()->domain, 0);
    EXPECT_EQ(virGetLastError()->code, 67);
    EXPECT_STREQ(virGetLastErrorMessage(), "unsupported configuration: root path must be absolute");
}

TEST_F(LibvirtError, MessageIsNeverAFormat) {
    raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "usage '%s%n%1$s' is taken");
    EXPECT_STREQ(virGetLastErrorMessage(), "internal error: usage '%s%n%1$s' is taken");
    EXPECT_STREQ(virGetLastError()->str2, "usage '%s%n%1$s' is taken");
    raiseSystemError(VIR_FROM_SECRET, EIO, "cannot unlink '%s%n'");
    EXPECT_STREQ(virGetLastErrorMessage(), "cannot unlink '%s%n': Input/output error");
}

TEST_F(LibvirtError, SystemErrorCarriesErrnoAndItsText) {
    raiseSystemError(VIR_FROM_SECRET, EACCES, "cannot create config directory '/r'");
    virErrorPtr error = virGetLastError();
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->domain, 30);
    EXPECT_EQ(error->code, 38);
    EXPECT_EQ(error->level, VIR_ERR_ERROR);
    EXPECT_STREQ(error->message, "cannot create config directory '/r': Permission denied");
    EXPECT_STREQ(error->str1, "%s");
    EXPECT_STREQ(error->str2, "cannot create config directory '/r': Permission denied");
    EXPECT_EQ(error->int1, EACCES);
    EXPECT_EQ(error->int2, -1);
}

TEST_F(LibvirtError, LeavesErrnoAlone) {
    errno = ENOSPC;
    raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "x");
    EXPECT_EQ(errno, ENOSPC);
    raiseSystemError(VIR_FROM_SECRET, EIO, "x");
    EXPECT_EQ(errno, ENOSPC);
}

TEST_F(LibvirtError, BelongsToTheThreadThatRaisedIt) {
    std::thread([] { raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "theirs"); }).join();
    EXPECT_EQ(virGetLastErrorCode(), VIR_ERR_OK);
}
