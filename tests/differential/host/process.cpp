// SPDX-License-Identifier: LGPL-2.1-or-later
#include "process.h"

#include "files.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace keyhold {

namespace {

std::vector<char *> pointers(std::vector<std::string> &texts) {
    std::vector<char *> out;
    out.reserve(texts.size() + 1);
    for (std::string &text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

} // namespace

Process::Process(const std::vector<std::string> &arguments, const std::string &errorOutput) {
    std::vector<std::string> words = {"differential_host"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char *> argv = pointers(words);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorOutput.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    std::fflush(stdout);
    int error = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        throw std::runtime_error("cannot start another process of this program");
}

Process::~Process() {
    if (ended_)
        return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

std::string Process::describe(int status) {
    if (WIFSIGNALED(status))
        return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

std::string Process::wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    ended_ = true;
    return describe(status);
}

bool Process::asleepInFile() const {
    std::string call = readFile("/proc/" + std::to_string(pid_) + "/syscall");
    long number = std::strtol(call.c_str(), nullptr, 10);
    if (call.empty() || call.starts_with("running"))
        return false;
    std::string state = readFile("/proc/" + std::to_string(pid_) + "/stat");
    bool sleeping = state.find(") S ") != std::string::npos;
    bool inFile = number == SYS_openat || number == SYS_read;
#ifdef SYS_open
    inFile = inFile || number == SYS_open;
#endif
    return sleeping && inFile;
}

std::string Process::waitOrHang() {
    constexpr int kSamples = 20;
    constexpr useconds_t kBetweenSamples = 100 * 1000;
    int asleep = 0;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
        asleep = asleepInFile() ? asleep + 1 : 0;
        if (asleep == kSamples)
            return "hangs";
        usleep(kBetweenSamples);
    }
    ended_ = true;
    return describe(status);
}

} // namespace keyhold
