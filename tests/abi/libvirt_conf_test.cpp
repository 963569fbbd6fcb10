// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_conf.h"

#include "abi/release.h"

#include <optional>
#include <utility>

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
        return std::get<LibvirtConf>(LibvirtConf::parse(text)); // throws where it is malformed
    }

    static std::string refusal(const std::string &text) {
        return std::get<std::string>(LibvirtConf::parse(text));
    }
};

template <typename Value>
std::optional<Value> valueOf(LibvirtConf::Setting<Value> setting) {
    if (setting.found != Found::yes)
        return std::nullopt;
    return std::move(setting.value);
}

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
    EXPECT_EQ(true, valueOf(conf.boolean("encrypt_data")));
    EXPECT_EQ(false, valueOf(conf.boolean("off")));
    EXPECT_EQ("/etc/libvirt/key", valueOf(conf.string("key")));
    EXPECT_EQ((List{"/a", "/b", "/c"}), valueOf(conf.list("keys")));
    EXPECT_EQ((List{"/d"}), valueOf(conf.list("single")));
    EXPECT_EQ(List{}, valueOf(conf.list("none")));
}

TEST_F(LibvirtConfTest, WhatIsNotThereIsToldApartFromWhatIsOfAnotherType) {
    const LibvirtConf conf = parsed("flag = 1\nfar = 2\ntext = \"1\"\nlist = [ \"a\", 5 ]\n");
    EXPECT_EQ(Found::no, conf.boolean("other").found);
    EXPECT_EQ(Found::no, conf.string("other").found);
    EXPECT_EQ(Found::no, conf.list("other").found);
    EXPECT_EQ(Found::otherType, conf.boolean("text").found);
    EXPECT_EQ(Found::otherType, conf.boolean("far").found);
    EXPECT_EQ(Found::otherType, conf.string("flag").found);
    EXPECT_EQ(Found::otherType, conf.list("flag").found);
    EXPECT_EQ(Found::otherType, conf.list("list").found);
    EXPECT_EQ(List{}, conf.list("list").value);
}

TEST_F(LibvirtConfTest, NothingIsAFileWithoutSettings) {
    for (const char *text : {"", "\n", "# only a comment", "  \n\n"})
        EXPECT_EQ(Found::no, parsed(text).boolean("encrypt_data").found) << text;
}

TEST_F(LibvirtConfTest, ANewlineAtTheEndIsNotNeeded) {
    EXPECT_EQ(true, valueOf(parsed("encrypt_data = 1").boolean("encrypt_data")));
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
    EXPECT_EQ(true, valueOf(second.boolean("flag")));
    second = std::move(first);
    EXPECT_EQ(false, valueOf(second.boolean("flag")));
}
