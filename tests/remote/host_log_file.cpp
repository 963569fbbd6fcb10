// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/host_log_file.h"

#include "remote/libvirt_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace keyhold {

namespace {

void set(const char *function, const std::string &settings) {
    if (privateFunction<int(const char *)>(function)(settings.c_str()) < 0)
        throw std::runtime_error(virGetLastErrorMessage());
}

} // namespace

LibvirtLogFile::LibvirtLogFile(const std::string &filters)
    : path_((std::filesystem::temp_directory_path() / "keyhold-log-XXXXXX").string()) {
    close(mkstemp(path_.data()));
    set("virLogSetOutputs", "1:file:" + path_);
    if (!filters.empty())
        set("virLogSetFilters", filters);
}

LibvirtLogFile::~LibvirtLogFile() {
    privateFunction<int()>("virLogReset")();
    std::filesystem::remove(path_);
}

std::string LibvirtLogFile::text() const {
    std::stringstream content;
    content << std::ifstream(path_).rdbuf();
    return content.str();
}

} // namespace keyhold
