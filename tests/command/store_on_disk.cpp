// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_on_disk.h"

#include "os/store_lock.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold::command {

StoreOnDisk::StoreOnDisk() {
    configure("");
}

Target StoreOnDisk::target() const {
    return chooseTarget(choice());
}

TargetChoice StoreOnDisk::choice() const {
    TargetChoice choice;
    choice.roots.push_back(root());
    return choice;
}

std::string StoreOnDisk::keyFile(std::uint8_t seed) const {
    const std::string path = root() + "/key-" + std::to_string(seed);
    if (!std::filesystem::exists(path))
        writePrivateFile(path, std::string(Key::kSize, static_cast<char>(seed)));
    return path;
}

void StoreOnDisk::configure(const std::string &text) const {
    writePrivateFile(root() + "/etc/secret.conf", text);
}

std::string StoreOnDisk::keyLine(std::uint8_t seed) const {
    return "secrets_encryption_key = \"" + keyFile(seed) + "\"\n";
}

LockingProcess::LockingProcess(const std::string &stateDirectory)
    : LockingProcess([stateDirectory] {
          std::filesystem::create_directories(stateDirectory);
          static_cast<void>(new StoreLock(posixFileSystem(), stateDirectory));
      }) {}

LockingProcess::LockingProcess(const std::function<void()> &lock) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0)
        throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
        lock();
        if (::write(ready[1], "x", 1) == 1)
            ::pause();
        ::_exit(1);
    }
    char byte = 0;
    ::close(ready[1]);
    const bool isReady = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
    if (!isReady)
        throw std::runtime_error("the child has no lock");
}

LockingProcess LockingProcess::ofDirectory(const std::string &directory) {
    return LockingProcess([directory] {
        if (::flock(::open(directory.c_str(), O_RDONLY | O_CLOEXEC), LOCK_EX | LOCK_NB) != 0)
            ::_exit(1);
    });
}

LockingProcess::~LockingProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace keyhold::command
