// SPDX-License-Identifier: LGPL-2.1-or-later
#include "files.h"

#include "transcript.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

namespace {

std::string describeEntry(const std::string &path) {
    constexpr off_t kLargestShown = 64 << 20;
    struct stat status {};
    if (lstat(path.c_str(), &status) < 0)
        return "vanished";
    char rights[64];
    std::snprintf(rights, sizeof rights, " %04o %u:%u", status.st_mode & 07777, status.st_uid,
                  status.st_gid);
    if (S_ISDIR(status.st_mode))
        return std::string("directory") + rights;
    if (S_ISLNK(status.st_mode)) {
        std::error_code ignored;
        return "link to " + quote(std::filesystem::read_symlink(path, ignored).string());
    }
    if (S_ISFIFO(status.st_mode))
        return std::string("fifo") + rights;
    if (!S_ISREG(status.st_mode))
        return std::string("special file") + rights;
    if (status.st_size > kLargestShown)
        return std::string("file") + rights + " " + std::to_string(status.st_size) + " bytes";
    std::string content = readFile(path);
    bool isNumber = !content.empty() && content.find_first_not_of("0123456789") == content.npos;
    if (isNumber && path.ends_with("/driver.pid"))
        return std::string("file") + rights + " a pid";
    return std::string("file") + rights + " " + quote(content);
}

} // namespace

void check(bool succeeded, const std::string &what) {
    if (!succeeded)
        throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::string readFile(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void writeFile(const std::string &path, std::string_view content, mode_t mode) {
    int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    check(descriptor >= 0, "open " + path);
    check(fchmod(descriptor, mode) == 0, "fchmod " + path);
    while (!content.empty()) {
        ssize_t written = write(descriptor, content.data(), content.size());
        check(written > 0, "write " + path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    check(close(descriptor) == 0, "close " + path);
}

void makeDirectories(const std::string &path, mode_t mode) {
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        std::string parent = path.substr(0, at);
        if (mkdir(parent.c_str(), 0700) == 0)
            check(chmod(parent.c_str(), mode) == 0, "chmod " + parent);
        else
            check(errno == EEXIST, "mkdir " + parent);
        if (at == std::string::npos)
            return;
    }
}

std::string base64(std::string_view bytes) {
    static constexpr char kAlphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; k++)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; k++)
            out += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

void visitTree(const std::string &root,
               const std::function<void(const std::string &, const std::string &)> &visit) {
    std::error_code ignored;
    std::vector<std::string> names;
    for (auto entry = std::filesystem::recursive_directory_iterator(root, ignored);
         entry != std::filesystem::recursive_directory_iterator(); entry.increment(ignored)) {
        names.push_back(entry->path().string());
    }
    std::sort(names.begin(), names.end());
    visit(".", describeEntry(root));
    for (const std::string &name : names)
        visit(name.substr(root.size() + 1), describeEntry(name));
}

} // namespace keyhold
