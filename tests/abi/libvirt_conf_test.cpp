// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_conf.h"

#include "abi/release.h"

#include <gtest/gtest.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

using namespace keyhold::abi;

namespace {

using List = std::vector<std::string>;
using Found = LibvirtConf::Found;

class LibvirtConfTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(virInitialize(), 0);
        ASSERT_NE(runningRelease(), 0U);
        virSetErrorFunc(nullptr, [](void *, virErrorPtr) {}); // libvirt would write to stderr
        virResetLastError();
    }
    void TearDown() override { EXPECT_EQ(virGetLastError(), nullptr); }

    static LibvirtConf parsed(const std::string &text) {
        std::string why;
        auto conf = LibvirtConf::parse(text, why);
        EXPECT_TRUE(conf) << why;
        return std::move(conf.value());
    }

    static std::string refusal(const std::string &text) {
        std::string why;
        EXPECT_FALSE(LibvirtConf::parse(text, why));
        return why;
    }
};

} // namespace

TEST_F(LibvirtConfTest, ReadsWhatLibvirtsFilesHold) {
    const LibvirtConf conf = parsed("# a comment\n"
                                    "encrypt_data = 1\n"
                                    "off = 0 # behind a value\n"
                                    "\n"
                                    "key = \"/etc/libvirt/key\"\n"
                                    "keys = [ \"/a\", \"/b\",\n  \"/c\" ]\n"
                                    "single = '/d'\n"
                                    "none = [ ]\n");
    bool flag = false;
    EXPECT_EQ(Found::yes, conf.boolean("encrypt_data", flag));
    EXPECT_TRUE(flag);
    EXPECT_EQ(Found::yes, conf.boolean("off", flag));
    EXPECT_FALSE(flag);
    std::string text;
    EXPECT_EQ(Found::yes, conf.string("key", text));
    EXPECT_EQ("/etc/libvirt/key", text);
    List list{"before"};
    EXPECT_EQ(Found::yes, conf.list("keys", list));
    EXPECT_EQ((List{"/a", "/b", "/c"}), list);
    EXPECT_EQ(Found::yes, conf.list("single", list));
    EXPECT_EQ((List{"/d"}), list);
    EXPECT_EQ(Found::yes, conf.list("none", list));
    EXPECT_EQ(List{}, list);
}

TEST_F(LibvirtConfTest, WhatIsNotThereIsToldApartFromWhatIsOfAnotherType) {
    const LibvirtConf conf = parsed("flag = 1\nfar = 2\ntext = \"1\"\nlist = [ \"a\", 5 ]\n");
    bool flag = true;
    std::string text = "as it was";
    List list{"as it was"};
    EXPECT_EQ(Found::no, conf.boolean("other", flag));
    EXPECT_EQ(Found::no, conf.string("other", text));
    EXPECT_EQ(Found::no, conf.list("other", list));
    EXPECT_EQ(Found::otherType, conf.boolean("text", flag));
    EXPECT_EQ(Found::otherType, conf.boolean("far", flag));
    EXPECT_EQ(Found::otherType, conf.string("flag", text));
    EXPECT_EQ(Found::otherType, conf.list("flag", list));
    EXPECT_EQ(Found::otherType, conf.list("list", list));
    EXPECT_EQ("as it was", text);
    EXPECT_EQ(List{"as it was"}, list);
}

TEST_F(LibvirtConfTest, NothingIsAFileWithoutSettings) {
    bool flag = false;
    for (const char *text : {"", "\n", "# only a comment", "  \n\n"})
        EXPECT_EQ(Found::no, parsed(text).boolean("encrypt_data", flag)) << text;
}

TEST_F(LibvirtConfTest, ANewlineAtTheEndIsNotNeeded) {
    bool flag = false;
    EXPECT_EQ(Found::yes, parsed("encrypt_data = 1").boolean("encrypt_data", flag));
    EXPECT_TRUE(flag);
}

TEST_F(LibvirtConfTest, MalformedTextIsRefusedWithItsPlace) {
    EXPECT_NE(std::string::npos, refusal("\nencrypt_data 1\n").find(":2"));
    for (const char *text :
         {"encrypt_data =", "= 1", "key = \"no end\n", "key = [ \"a\" \n", "<xml/>"})
        EXPECT_FALSE(refusal(text).empty()) << text;
}

TEST_F(LibvirtConfTest, ANulByteDoesNotCutTheFileShort) {
    EXPECT_EQ("it holds a NUL byte", refusal(std::string("a = 1\n\0b = 1\n", 13)));
}

TEST_F(LibvirtConfTest, Moves) {
    LibvirtConf first = parsed("flag = 1\n");
    LibvirtConf second(std::move(first));
    first = parsed("flag = 0\n");
    bool flag = false;
    EXPECT_EQ(Found::yes, second.boolean("flag", flag));
    EXPECT_TRUE(flag);
    second = std::move(first);
    EXPECT_EQ(Found::yes, second.boolean("flag", flag));
    EXPECT_FALSE(flag);
}
