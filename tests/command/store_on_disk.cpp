// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_on_disk.h"

#include "os/store_lock.h"
#include "seal/jwe.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

std::array<std::uint8_t, Key::kSize> rawKey(std::uint8_t seed) {
    std::array<std::uint8_t, Key::kSize> raw;
    raw.fill(seed);
    return raw;
}

void write(const std::string &path, const std::string &content) {
    std::ofstream(path, std::ios::binary) << content;
    if (::chmod(path.c_str(), 0600) != 0)
        throw std::runtime_error("cannot write " + path);
}

std::span<const std::uint8_t> bytesOf(const std::string &text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

StoreOnDisk::StoreOnDisk() {
    std::filesystem::create_directories(secrets());
    ::chmod(secrets().c_str(), 0700);
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

void StoreOnDisk::put(const std::string &name, const std::string &content) const {
    write(secrets() + "/" + name, content);
}

std::map<std::string, std::string> StoreOnDisk::files() const {
    std::map<std::string, std::string> files;
    for (const auto &entry : std::filesystem::directory_iterator(secrets())) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
}

Uuid StoreOnDisk::uuid(int n) {
    std::array<std::uint8_t, Uuid::kSize> bytes{};
    bytes.back() = static_cast<std::uint8_t>(n);
    return Uuid(bytes);
}

std::string StoreOnDisk::nameOf(int n, const std::string &suffix) {
    return uuid(n).toString() + "." + suffix;
}

void StoreOnDisk::define(int n) const {
    put(nameOf(n, "xml"), "<secret><uuid>" + uuid(n).toString() +
                              "</uuid><usage type='ceph'><name>use " + std::to_string(n) +
                              "</name></usage></secret>");
}

void StoreOnDisk::addPlain(int n, const std::string &value) const {
    define(n);
    SealingPolicy().encode(ValueFormat::plain, uuid(n), bytesOf(value), [&](auto text) {
        put(nameOf(n, "base64"), {text.begin(), text.end()});
    });
}

void StoreOnDisk::addSealed(int n, const std::string &value, std::uint8_t key) const {
    define(n);
    put(nameOf(n, "jwe"), sealJwe(Key(rawKey(key)), uuid(n), bytesOf(value)));
}

std::string StoreOnDisk::keyFile(std::uint8_t seed) const {
    const std::string path = root() + "/key-" + std::to_string(seed);
    if (!std::filesystem::exists(path))
        write(path, std::string(Key::kSize, static_cast<char>(seed)));
    return path;
}

void StoreOnDisk::configure(const std::string &text) const {
    write(root() + "/etc/secret.conf", text);
}

std::string StoreOnDisk::keyLine(std::uint8_t seed) const {
    return "secrets_encryption_key = \"" + keyFile(seed) + "\"\n";
}

std::shared_ptr<const SealingPolicy>
atRestOf(std::uint8_t seed, const std::vector<std::uint8_t> &earlier, SealingPolicy::Rules rules) {
    Keyring keyring;
    if (seed != 0)
        keyring.setCurrent(rawKey(seed));
    for (const std::uint8_t each : earlier)
        keyring.addEarlier(rawKey(each));
    return std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
}

std::string keyIdOf(std::uint8_t seed) {
    return Key(rawKey(seed)).id();
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
