// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/other_process.h"

#include "threads/client.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace keyhold {

namespace {

struct Pipe {
    int readEnd;
    int writeEnd;
};

Pipe makePipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        throw std::runtime_error("pipe2");
    return {ends[0], ends[1]};
}

const char *nameOf(OtherProcess::Task task) {
    return task == OtherProcess::Task::hold ? "hold" : "dump";
}

} // namespace

OtherProcess::OtherProcess(Task task, const std::string &root) {
    const Pipe input = makePipe();
    const Pipe output = makePipe();
    input_ = input.writeEnd;
    output_ = output.readEnd;

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.readEnd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output.writeEnd, STDOUT_FILENO);
    std::string words[] = {"threads_test", "--other-process", nameOf(task), root};
    std::array<char *, 5> arguments{words[0].data(), words[1].data(), words[2].data(),
                                    words[3].data(), nullptr};
    const int result =
        posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(input.readEnd);
    close(output.writeEnd);
    if (result != 0)
        throw std::runtime_error("cannot start another process of this program");
}

OtherProcess::~OtherProcess() {
    if (pid_ > 0)
        finish();
    close(output_);
}

void OtherProcess::closeInput() {
    if (input_ >= 0)
        close(input_);
    input_ = -1;
}

std::string OtherProcess::readLine() {
    std::string line;
    char next = '\0';
    while (read(output_, &next, 1) == 1 && next != '\n')
        line += next;
    return line;
}

std::string OtherProcess::readAll() {
    closeInput();
    std::string out;
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = read(output_, buffer.data(), buffer.size());
        if (got <= 0)
            return out;
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::string OtherProcess::finish() {
    closeInput();
    int status = 0;
    if (waitpid(pid_, &status, 0) != pid_)
        return "lost";
    pid_ = -1;
    if (WIFSIGNALED(status))
        return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

int OtherProcess::run(const std::string &task, const std::string &root) {
    if (virEventRegisterDefaultImpl() < 0)
        return 1;
    const client::Connection connection = client::openRoot(root);
    if (!connection)
        std::puts(client::describeError().c_str());
    else if (task == "dump")
        std::fputs(client::dumpPersistent(connection.get()).c_str(), stdout);
    else
        std::puts("open");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}

std::string openElsewhere(const std::string &root) {
    OtherProcess other(OtherProcess::Task::hold, root);
    const std::string line = other.readLine();
    const std::string end = other.finish();
    return end == "exit 0" ? line : line + " (" + end + ")";
}

std::string dumpElsewhere(const std::string &root) {
    OtherProcess other(OtherProcess::Task::dump, root);
    const std::string text = other.readAll();
    const std::string end = other.finish();
    return end == "exit 0" ? text : text + "(" + end + ")\n";
}

} // namespace keyhold
