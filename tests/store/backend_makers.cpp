// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/backend_makers.h"

#include "conf/recording_admin_log.h"
#include "directory/directory_backend.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"
#include "store/memory_backend.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace keyhold {
namespace {

class DirectorySubject : public Subject {
  public:
    std::unique_ptr<Backend> open() override {
        return std::make_unique<DirectoryBackend>(
            std::make_unique<StoreDirectory>(fileSystem(), path()), log_);
    }

  protected:
    virtual FileSystem &fileSystem() = 0;
    virtual std::string path() = 0;

  private:
    RecordingAdminLog log_;
};

/// The directory is moved away.
class KernelSubject : public DirectorySubject {
  public:
    KernelSubject() { std::filesystem::create_directory(path_); }
    void failChanges() override {
        std::filesystem::rename(path_, path_ + ".moved");
        path_ += ".moved";
    }
    std::vector<std::string> kept() override {
        std::vector<std::string> out;
        for (const auto &entry : std::filesystem::directory_iterator(path_)) {
            if (entry.path().string().find(".aside-") == std::string::npos)
                continue;
            std::ifstream file(entry.path());
            out.emplace_back(std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>());
        }
        return out;
    }

  protected:
    FileSystem &fileSystem() override { return posixFileSystem(); }
    std::string path() override { return path_; }

  private:
    TemporaryDirectory parent_;
    std::string path_ = parent_.path() + "/store";
};

/// Each rename fails.
class FaultySubject : public KernelSubject {
  public:
    void failChanges() override {
        faulty_.fail(Operation::rename, "", EIO, FaultyFileSystem::kAlways);
    }

  protected:
    FileSystem &fileSystem() override { return faulty_; }

  private:
    FaultyFileSystem faulty_{posixFileSystem()};
};

/// The disk is read-only.
class MemoryDiskSubject : public DirectorySubject {
  public:
    MemoryDiskSubject() { disk_.putDirectory(path()); }
    void failChanges() override { disk_.loseDisk(0, DiskLoss::readOnly); }
    std::vector<std::string> kept() override {
        std::vector<std::string> out;
        for (const std::string &name : disk_.names(path())) {
            if (name.find(".aside-") != std::string::npos)
                out.push_back(*disk_.content(path() + "/" + name));
        }
        return out;
    }

  protected:
    FileSystem &fileSystem() override { return disk_; }
    std::string path() override { return "/store"; }

  private:
    MemoryFileSystem disk_;
};

class MemorySubject : public Subject {
  public:
    std::unique_ptr<Backend> open() override { return std::make_unique<MemoryBackend>(storage_); }
    void failChanges() override { storage_->isFailing = true; }
    std::vector<std::string> kept() override { return storage_->kept; }

  private:
    std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
};

template <typename Made>
std::unique_ptr<Subject> make() {
    return std::make_unique<Made>();
}

const Maker kMakers[] = {
    {"DirectoryOfTheKernel", make<KernelSubject>},
    {"DirectoryOfAFaultyDisk", make<FaultySubject>},
    {"DirectoryOfAMemoryDisk", make<MemoryDiskSubject>},
    {"Memory", make<MemorySubject>, true},
};

} // namespace

std::span<const Maker> backendMakers() {
    return kMakers;
}

} // namespace keyhold
