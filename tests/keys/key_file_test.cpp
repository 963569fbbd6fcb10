// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keys/key_file.h"

#include "conf/error.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <numeric>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace keyhold {
namespace {

std::string counted(std::size_t size) {
    std::string bytes(size, '\0');
    std::iota(bytes.begin(), bytes.end(), '\x01');
    return bytes;
}

FetchedKey fetchFrom(FileSystem &fileSystem, const std::string &path) {
    return KeyFile(fileSystem, path).fetch(Deadline(std::chrono::hours(1)));
}

class KeyFileTest : public ::testing::Test {
  protected:
    void write(const std::string &content, mode_t mode = 0600) const {
        std::ofstream(path, std::ios::binary) << content;
        ASSERT_EQ(0, ::chmod(path.c_str(), mode));
    }

    [[nodiscard]] FetchedKey read() const { return fetchFrom(posixFileSystem(), path); }

    /// The message, which names the file.
    [[nodiscard]] std::string refusal() const {
        try {
            (void)read();
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::invalidEncryptionKey, error.code());
            EXPECT_NE(std::string::npos, error.message().find("'" + path + "'")) << error.message();
            return error.message();
        }
        return "no error";
    }

    TemporaryDirectory temporary;
    const std::string path = temporary.path() + "/key";
};

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

TEST_F(KeyFileTest, ThirtyTwoBytesAreAKey) {
    const std::string bytes = counted(32);
    for (const mode_t mode : {0600, 0400, 0440, 0640}) {
        write(bytes, mode);
        const FetchedKey file = read();
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), file.bytes.bytes().begin(),
                               file.bytes.bytes().end()));
        EXPECT_EQ("", file.complaint);
        ::unlink(path.c_str());
    }
}

TEST_F(KeyFileTest, AnyByteMayBeInAKeyANewlineAtItsEndIncluded) {
    write(counted(31) + "\n");
    EXPECT_EQ('\n', read().bytes.bytes()[31]);
    write(std::string(31, '\0') + "\x01");
    EXPECT_EQ("", read().complaint);
}

TEST_F(KeyFileTest, ANewlineBehindTheKeyIsRefusedWithTheCommandThatRemovesIt) {
    write(counted(32) + "\n");
    EXPECT_TRUE(contains(refusal(), "newline")) << refusal();
    EXPECT_TRUE(contains(refusal(), "truncate -s 32 " + path)) << refusal();
}

TEST_F(KeyFileTest, AnyOtherLengthIsRefused) {
    for (const std::size_t size : {0, 1, 16, 31, 33, 34, 44, 64, 4096}) {
        write(counted(size));
        EXPECT_TRUE(contains(refusal(), size > 32 ? "holds more" : "holds " + std::to_string(size)))
            << refusal();
    }
    write(counted(32) + "\r\n");
    EXPECT_TRUE(contains(refusal(), "raw and not as text")) << refusal();
}

TEST_F(KeyFileTest, AMissingFileIsRefused) {
    EXPECT_TRUE(contains(refusal(), "No such file or directory; put the key back")) << refusal();
    std::filesystem::create_symlink("nowhere", path);
    EXPECT_TRUE(contains(refusal(), "No such file or directory; put the key back")) << refusal();
    try {
        (void)fetchFrom(posixFileSystem(), temporary.path() + "/no/such/key");
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, error.code());
    }
}

TEST_F(KeyFileTest, WhatIsNoRegularFileIsRefusedAtOnce) {
    ASSERT_EQ(0, ::mkfifo(path.c_str(), 0600));
    EXPECT_TRUE(contains(refusal(), "is not a regular file")) << refusal();
    ::unlink(path.c_str());
    std::filesystem::create_directory(path);
    EXPECT_TRUE(contains(refusal(), "is not a regular file")) << refusal();
    std::filesystem::remove(path);
    std::filesystem::create_symlink("/dev/zero", path);
    EXPECT_TRUE(contains(refusal(), "is not a regular file")) << refusal();
}

TEST_F(KeyFileTest, ALinkIsFollowedAndItsTargetJudged) {
    const std::string target = temporary.path() + "/target";
    std::ofstream(target, std::ios::binary) << counted(32);
    ::chmod(target.c_str(), 0600);
    std::filesystem::create_symlink("target", path);
    EXPECT_EQ("", read().complaint);
    ::chmod(target.c_str(), 0644);
    EXPECT_NE("", read().complaint);
}

TEST_F(KeyFileTest, WhatOthersCanReadOrWriteIsReadWithAComplaint) {
    const std::string bytes = counted(32);
    for (const mode_t mode : {0644, 0604, 0444, 0666, 0602, 0620, 0660}) {
        write(bytes, mode);
        const FetchedKey file = read();
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), file.bytes.bytes().begin()));
        EXPECT_TRUE(contains(file.complaint, "'" + path + "'")) << mode;
        EXPECT_TRUE(contains(file.complaint, "chmod 0600 " + path)) << file.complaint;
        ::unlink(path.c_str());
    }
}

TEST_F(KeyFileTest, ZerosAreReadWithAComplaint) {
    write(std::string(32, '\0'));
    EXPECT_TRUE(contains(read().complaint, "nothing but zeros")) << read().complaint;
}

TEST(KeyFileComplaint, TheOwnerIsRootOrTheUserOfTheProcess) {
    FileStatus status;
    status.mode = S_IFREG | 0600;
    for (const uid_t self : {uid_t{0}, uid_t{1000}}) {
        status.owner = 0;
        EXPECT_EQ("", complaintAboutKeyFile(status, self, "/key"));
        status.owner = self;
        EXPECT_EQ("", complaintAboutKeyFile(status, self, "/key"));
        status.owner = 1001;
        const std::string complaint = complaintAboutKeyFile(status, self, "/key");
        EXPECT_TRUE(contains(complaint, "'/key' belongs to user 1001"));
        EXPECT_TRUE(contains(complaint, "chown " + std::to_string(self) + " /key"));
    }
}

TEST(KeyFileName, MayBeAKeyWhereNoSuchFileIs) {
    const TemporaryDirectory temporary;
    const std::string base64 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const auto mayBe = [](const std::string &text) { return mayBeAKey(posixFileSystem(), text); };
    for (const std::string &text : {base64, base64.substr(0, 43), "/" + base64, "MDEy/" + base64,
                                    "/MDEy/" + base64, "a-b_" + base64, std::string(64, 'f'),
                                    "/" + base64 + " ", base64.substr(0, 20) + "\n\t" + base64})
        EXPECT_TRUE(mayBe(text)) << text;
    for (const std::string &text :
         {std::string("key"), std::string("/nowhere/key"),
          std::string("/etc/libvirt/secrets-encryption-keys-of-2027"),
          temporary.path() + "/no/such/" + base64, base64 + ".key", base64.substr(0, 31)})
        EXPECT_FALSE(mayBe(text)) << text;
    std::filesystem::create_directory(temporary.path() + "/" + base64);
    EXPECT_FALSE(mayBe(temporary.path() + "/" + base64));
}

/// A disk with a key at /keys/key.
class KeyFileOnDisk : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(0, files.makePath("/keys"));
        const int directory = files.openDirectory("/keys");
        const int file = files.open(directory, "key", O_WRONLY | O_CREAT, 0600);
        ASSERT_EQ(32, files.write(file, counted(32).data(), 32));
        ASSERT_EQ(0, files.close(file));
        ASSERT_EQ(0, files.close(directory));
        files.clearTrace();
    }
    void TearDown() override { EXPECT_EQ(0U, files.openDescriptors()); }

    MemoryFileSystem files;
};

TEST(KeyFileName, IsNotShownWhereItMayBeAKey) {
    const std::string pasted = "/MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const KeyFile source(posixFileSystem(), pasted, "'secret.conf': 'a_setting'");
    for (const auto patience : {std::chrono::hours(1), std::chrono::hours(0)}) {
        try {
            (void)source.fetch(Deadline(patience));
            FAIL();
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::invalidEncryptionKey, error.code());
            EXPECT_TRUE(error.message().starts_with("'secret.conf': 'a_setting' names no file"));
            EXPECT_FALSE(contains(error.message(), "MDEy"));
        }
    }
}

TEST_F(KeyFileOnDisk, EveryFailingCallIsRefusedAndLeavesNoDescriptor) {
    EXPECT_EQ(32U, fetchFrom(files, "/keys/key").bytes.size());
    const std::size_t calls = files.callCount(MemoryFileSystem::Calls::all);
    std::size_t refused = 0;
    for (std::size_t k = 1; k <= calls; ++k) {
        files.failCall(k, EIO, MemoryFileSystem::Effect::none, MemoryFileSystem::Calls::all);
        try {
            (void)fetchFrom(files, "/keys/key");
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::invalidEncryptionKey, error.code());
            EXPECT_TRUE(contains(error.message(), "'/keys/key'")) << error.message();
            ++refused;
        }
        files.clearFaults();
    }
    EXPECT_GE(refused, 4U); // the two calls that close are not among them
}

TEST_F(KeyFileOnDisk, AfterTheDeadlineNothingMoreIsAskedOfIt) {
    const KeyFile source(files, "/keys/key");
    std::vector<std::size_t> made; // calls until each moment at which the deadline may pass
    for (int looks = 0; looks < 10; ++looks) {
        files.clearTrace();
        int left = looks + 1; // one is for the start
        const Deadline deadline(std::chrono::seconds(1), [&left] {
            return Deadline::Clock::time_point(std::chrono::seconds(left-- > 0 ? 0 : 1));
        });
        try {
            EXPECT_EQ(32U, source.fetch(deadline).bytes.size());
            break;
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::invalidEncryptionKey, error.code());
            EXPECT_TRUE(contains(error.message(), "'/keys/key' could not be read in time"))
                << error.message();
            made.push_back(files.callCount(MemoryFileSystem::Calls::all));
        }
    }
    // Before open; before the first read, with open, fstat and close; before the second one.
    EXPECT_EQ((std::vector<std::size_t>{0, 3, 4}), made);
}

} // namespace
} // namespace keyhold
