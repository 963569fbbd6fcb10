// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/error_report.h"

#include "remote/libvirt_fixture.h"

namespace keyhold {

namespace {

using Flags = WithLibvirt;

} // namespace

TEST_F(Flags, SupportedOnesPassInAnyCombination) {
    for (const unsigned int flags : {0U, 1U, 4U, 5U})
        EXPECT_NO_THROW(requireFlags(flags, 5, "secretX")) << flags;
    EXPECT_NO_THROW(requireFlags(0, 0, "secretX"));
    EXPECT_NO_THROW(requireFlags(~0U, ~0U, "secretX"));
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Flags, UnknownBitsAloneAreNamed) {
    struct {
        unsigned int flags;
        unsigned int supported;
        const char *text;
    } const cases[] = {
        {2, 1, "unsupported flags (0x2) in function secretDefineXML"},
        {3, 1, "unsupported flags (0x2) in function secretDefineXML"},
        {0x80000000U, 1, "unsupported flags (0x80000000) in function secretDefineXML"},
        {0xffffffffU, 1, "unsupported flags (0xfffffffe) in function secretDefineXML"},
        {1, 0, "unsupported flags (0x1) in function secretDefineXML"},
    };
    for (const auto &refused : cases) {
        EXPECT_THROW(requireFlags(refused.flags, refused.supported, "secretDefineXML"),
                     ErrorAlreadyRaised);
        const virError error = lastError();
        EXPECT_EQ(error.code, VIR_ERR_INVALID_ARG);
        EXPECT_EQ(error.domain, VIR_FROM_SECRET);
        EXPECT_EQ(error.level, VIR_ERR_ERROR);
        EXPECT_NE(std::string(error.message).find(refused.text), std::string::npos)
            << error.message;
    }
}

TEST_F(Flags, TheErrorHasTheFieldsOfTheStockDriver) {
    // libvirt's own, of a function that knows no flags.
    const Connection connection(virConnectOpen("test:///default"));
    ASSERT_NE(connection, nullptr);
    char *xml = virConnectGetSysinfo(connection.get(), 0x40);
    ASSERT_EQ(xml, nullptr);
    const virError stock = lastError();
    ASSERT_EQ(stock.code, VIR_ERR_INVALID_ARG) << stock.message;
    const std::string text = stock.message;
    const std::string field1 = stock.str1 ? stock.str1 : "(null)";
    const std::string field2 = stock.str2 ? stock.str2 : "(null)";
    EXPECT_EQ(stock.str3, nullptr);
    const int numbers[] = {stock.int1, stock.int2};

    EXPECT_THROW(requireFlags(0x40, 0, "testConnectGetSysinfo"), ErrorAlreadyRaised);
    const virError ours = lastError();
    EXPECT_EQ(ours.message, text);
    EXPECT_EQ(ours.str1 ? ours.str1 : "(null)", field1);
    EXPECT_EQ(ours.str2 ? ours.str2 : "(null)", field2);
    EXPECT_EQ(ours.str3, nullptr);
    EXPECT_EQ(ours.int1, numbers[0]);
    EXPECT_EQ(ours.int2, numbers[1]);
}

} // namespace keyhold
