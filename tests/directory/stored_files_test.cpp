// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/secret_files.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"
#include "seal/sealing_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {
namespace {

using testing::HasSubstr;

/// A place where files can be put, on some file system.
class Subject {
  public:
    virtual ~Subject() = default;
    virtual FileSystem &fileSystem() = 0;
    virtual std::string root() = 0;
    virtual void put(const std::string &name, const std::string &content) = 0;
    virtual void putFifo(const std::string &name) = 0;
    virtual void putDirectory(const std::string &name) = 0;
    virtual void putDanglingLink(const std::string &name) = 0;
};

class MemorySubject : public Subject {
  public:
    MemorySubject() { memory_.putDirectory(root()); }
    FileSystem &fileSystem() override { return memory_; }
    std::string root() override { return "/store"; }
    void put(const std::string &name, const std::string &content) override {
        memory_.putFile("/store/" + name, content);
    }
    void putFifo(const std::string &name) override { memory_.putFifo("/store/" + name); }
    void putDirectory(const std::string &name) override { memory_.putDirectory("/store/" + name); }
    void putDanglingLink(const std::string &name) override {
        memory_.putDanglingLink("/store/" + name);
    }

  private:
    MemoryFileSystem memory_;
};

class KernelSubject : public Subject {
  public:
    FileSystem &fileSystem() override { return posixFileSystem(); }
    std::string root() override { return directory_.path(); }
    void put(const std::string &name, const std::string &content) override {
        std::ofstream(pathOf(name), std::ios::binary) << content;
    }
    void putFifo(const std::string &name) override {
        ASSERT_EQ(0, ::mkfifo(pathOf(name).c_str(), 0600));
    }
    void putDirectory(const std::string &name) override {
        std::filesystem::create_directory(pathOf(name));
    }
    void putDanglingLink(const std::string &name) override {
        std::filesystem::create_symlink("nowhere", pathOf(name));
    }

    [[nodiscard]] std::string pathOf(const std::string &name) const {
        return directory_.path() + "/" + name;
    }

  private:
    TemporaryDirectory directory_;
};

class StoredFilesTest : public testing::TestWithParam<const char *> {
  protected:
    StoredFilesTest() {
        if (std::string_view(GetParam()) == "memory")
            subject = std::make_unique<MemorySubject>();
        else
            subject = std::make_unique<KernelSubject>();
        faulty = std::make_unique<FaultyFileSystem>(subject->fileSystem());
        directory = std::make_unique<StoreDirectory>(*faulty, subject->root());
    }

    // Whether a test went well or not, only the directory is open after it.
    void TearDown() override { EXPECT_EQ(1U, faulty->openDescriptors()); }

    std::string valueText(const std::string &name) {
        const auto file = readValueFile(*directory, name, 1000000);
        return file ? std::string(file->bytes().begin(), file->bytes().end()) : "(none)";
    }

    std::string definitionText(const std::string &name) {
        return readDefinitionFile(*directory, name).value_or("(none)");
    }

    void expectRefused(const std::string &name, ErrorCode code, const std::string &text) {
        const Raised expected{code, text + " '" + directory->pathOf(name) + "'"};
        EXPECT_EQ(expected, raisedBy([&] { definitionText(name); }));
        EXPECT_EQ(expected, raisedBy([&] { valueText(name); }));
    }

    void expectNotRegular(const std::string &name) {
        const Raised expected{ErrorCode::internal,
                              "'" + directory->pathOf(name) + "' is not a regular file"};
        EXPECT_EQ(expected, raisedBy([&] { definitionText(name); }));
        EXPECT_EQ(expected, raisedBy([&] { valueText(name); }));
    }

    std::unique_ptr<Subject> subject;
    std::unique_ptr<FaultyFileSystem> faulty;
    std::unique_ptr<StoreDirectory> directory;
};

INSTANTIATE_TEST_SUITE_P(On, StoredFilesTest, testing::Values("memory", "kernel"),
                         [](const auto &test) { return std::string(test.param); });

TEST_P(StoredFilesTest, ReadsWhatIsThere) {
    const std::string content("line\n\0more", 10);
    subject->put("file", content);
    subject->put("empty", "");
    EXPECT_EQ(content, definitionText("file"));
    EXPECT_EQ(content, valueText("file"));
    EXPECT_EQ("", definitionText("empty"));
    EXPECT_EQ("", valueText("empty"));
}

TEST_P(StoredFilesTest, AMissingFileIsNoError) {
    EXPECT_EQ("(none)", definitionText("file"));
    EXPECT_EQ("(none)", valueText("file"));
}

TEST_P(StoredFilesTest, ReadsOnAfterAShortRead) {
    faulty->limitTransfers(3);
    subject->put("file", "0123456789");
    EXPECT_EQ("0123456789", definitionText("file"));
    EXPECT_EQ("0123456789", valueText("file"));
}

TEST_P(StoredFilesTest, AFifoIsRefusedAtOnce) {
    subject->putFifo("fifo");
    expectNotRegular("fifo");
}

TEST_P(StoredFilesTest, ADirectoryIsRefused) {
    subject->putDirectory("folder");
    expectNotRegular("folder");
}

TEST_P(StoredFilesTest, ALinkThatLeadsNowhereIsAnErrorAndNotAMissingFile) {
    subject->putDanglingLink("link");
    expectRefused("link", ErrorCode::systemCall, "cannot open");
}

TEST_P(StoredFilesTest, AFileThatGrowsWhileItIsReadIsRefused) {
    subject->put("file", "0123");
    faulty->limitTransfers(3);
    faulty->before(Operation::read, "file", [&] { subject->put("file", "0123456789"); });
    const Raised expected{ErrorCode::internal,
                          "'" + directory->pathOf("file") +
                              "' was written to while it was read; reload again"};
    // In memory, putting a file makes a new one, as rename does; the reader then has the old.
    if (std::string_view(GetParam()) == "kernel") {
        EXPECT_EQ(expected, raisedBy([&] { definitionText("file"); }));
        subject->put("file", "0123");
        EXPECT_EQ(expected, raisedBy([&] { valueText("file"); }));
    } else {
        EXPECT_EQ("0123", definitionText("file"));
        subject->put("file", "0123");
        EXPECT_EQ("0123", valueText("file"));
    }
}

TEST_P(StoredFilesTest, FailureIsToldWithTheErrorOfTheCall) {
    subject->put("file", "content");
    const struct {
        Operation operation;
        const char *text;
    } cases[] = {{Operation::open, "cannot open"},
                 {Operation::status, "cannot stat"},
                 {Operation::read, "cannot read"}};
    for (const auto &row : cases) {
        faulty->fail(row.operation, "file", EACCES, 3);
        expectRefused("file", ErrorCode::systemCall, row.text);
        try {
            definitionText("file");
            ADD_FAILURE() << row.text;
        } catch (const Error &error) {
            EXPECT_EQ(EACCES, error.systemErrno());
        }
    }
    EXPECT_EQ("content", valueText("file"));
}

class StoredFilesOnDiskTest : public testing::Test {
  protected:
    void makeSparse(const std::string &name, std::uintmax_t size) {
        subject.put(name, "");
        std::filesystem::resize_file(subject.pathOf(name), size);
    }

    KernelSubject subject;
    StoreDirectory directory{subject.fileSystem(), subject.root()};
};

TEST_F(StoredFilesOnDiskTest, LinksToRegularFilesAreFollowed) {
    subject.put("file", "content");
    subject.putDirectory("folder");
    std::filesystem::rename(subject.pathOf("file"), subject.pathOf("folder/file"));
    std::filesystem::create_symlink(subject.pathOf("folder/file"), subject.pathOf("link"));
    std::filesystem::create_symlink("link", subject.pathOf("link to link"));
    EXPECT_EQ("content", readDefinitionFile(directory, "link"));
    EXPECT_EQ(7U, readValueFile(directory, "link to link", 7)->size);
}

TEST_F(StoredFilesOnDiskTest, LinksToAnythingElseAreRefused) {
    subject.putFifo("fifo");
    std::filesystem::create_symlink("fifo", subject.pathOf("to fifo"));
    std::filesystem::create_symlink("/dev/zero", subject.pathOf("to device"));
    std::filesystem::create_symlink("/dev/null", subject.pathOf("to null"));
    std::filesystem::create_symlink(".", subject.pathOf("to directory"));
    std::filesystem::create_symlink("loop", subject.pathOf("loop"));
    for (const char *name : {"to fifo", "to device", "to null", "to directory", "loop"}) {
        EXPECT_THROW(static_cast<void>(readDefinitionFile(directory, name)), Error) << name;
        EXPECT_THROW(static_cast<void>(readValueFile(directory, name, 1000)), Error) << name;
    }
}

TEST_F(StoredFilesOnDiskTest, AFileAboveTheLimitIsRefusedUnread) {
    makeSparse("definition", kMaxDefinitionFileSize + 1);
    makeSparse("huge", std::uintmax_t{3} << 40);
    FaultyFileSystem counting(subject.fileSystem());
    const StoreDirectory counted(counting, subject.root());
    const auto tooLarge = [&](const char *name, std::size_t limit) {
        return Raised{ErrorCode::internal, "'" + directory.pathOf(name) + "' is larger than " +
                                               std::to_string(limit) + " bytes"};
    };
    EXPECT_EQ(tooLarge("definition", kMaxDefinitionFileSize),
              raisedBy([&] { static_cast<void>(readDefinitionFile(counted, "definition")); }));
    for (const ValueFormat form : kValueFormats) {
        const std::size_t limit = maxTextSize(form);
        makeSparse("value", limit + 1);
        for (const char *name : {"value", "huge"})
            EXPECT_EQ(tooLarge(name, limit),
                      raisedBy([&] { static_cast<void>(readValueFile(counted, name, limit)); }));
    }
    EXPECT_EQ(0U, counting.count(Operation::read));
}

/// "S" of a thread that waits.
char stateOfThread(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t end = text.rfind(") ");
    return end == std::string::npos ? '?' : text[end + 2];
}

TEST_F(StoredFilesOnDiskTest, OfLargeFilesAProcessHoldsOneAtATime) {
    for (const char *name : {"one", "two"})
        makeSparse(name, Scratch::kPooledSize);
    makeSparse("small", Scratch::kPooledSize - 1);
    FaultyFileSystem counting(subject.fileSystem());
    const StoreDirectory counted(counting, subject.root());
    std::atomic<bool> isRead{false};
    std::atomic<pid_t> thread{0};
    counting.before(Operation::status, "two", [&] { thread = ::gettid(); });
    counting.before(Operation::read, "two", [&] { isRead = true; });

    auto one = readValueFile(counted, "one", Scratch::kPooledSize);
    std::jthread other([&] {
        EXPECT_EQ(Scratch::kPooledSize, readValueFile(counted, "two", Scratch::kPooledSize)->size);
    });
    while (thread == 0)
        std::this_thread::yield();
    for (int waits = 0; waits < 3 && !isRead; std::this_thread::yield())
        waits = stateOfThread(thread) == 'S' ? waits + 1 : 0;
    EXPECT_FALSE(isRead);
    EXPECT_TRUE(readValueFile(counted, "small", Scratch::kPooledSize)) << "others are not held up";
    one.reset();
    other.join();
    EXPECT_TRUE(isRead);
}

TEST_F(StoredFilesOnDiskTest, AFileThatCannotBeReadGivesItsTurnBack) {
    makeSparse("one", Scratch::kPooledSize);
    FaultyFileSystem failing(subject.fileSystem());
    const StoreDirectory watched(failing, subject.root());
    failing.fail(Operation::read, "one", EIO);
    EXPECT_TRUE(
        raisedBy([&] { static_cast<void>(readValueFile(watched, "one", Scratch::kPooledSize)); }));
    EXPECT_TRUE(readValueFile(watched, "one", Scratch::kPooledSize));
}

TEST_F(StoredFilesOnDiskTest, AFileAtTheLimitIsRead) {
    makeSparse("definition", kMaxDefinitionFileSize);
    EXPECT_EQ(kMaxDefinitionFileSize, readDefinitionFile(directory, "definition")->size());
}

TEST_F(StoredFilesOnDiskTest, AFileThatShrinksWhileItIsReadGivesWhatIsLeft) {
    subject.put("file", "0123456789");
    FaultyFileSystem faulty(subject.fileSystem());
    const StoreDirectory watched(faulty, subject.root());
    faulty.before(Operation::read, "file",
                  [&] { std::filesystem::resize_file(subject.pathOf("file"), 4); });
    EXPECT_EQ("0123", readDefinitionFile(watched, "file"));
}

TEST_F(StoredFilesOnDiskTest, AFileThatSaysItIsEmptyButIsNotIsRefused) {
    std::filesystem::create_symlink("/proc/self/status", subject.pathOf("status"));
    EXPECT_THAT([&] { static_cast<void>(readDefinitionFile(directory, "status")); },
                testing::ThrowsMessage<Error>(HasSubstr("was written to while it was read")));
}

} // namespace
} // namespace keyhold
