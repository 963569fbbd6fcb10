// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/stop_advice.h"

#include <fstream>
#include <sstream>
#include <string_view>

namespace keyhold::command {

namespace {

constexpr std::string_view kService = ".service";

std::string serviceOf(const Holder &holder) {
    std::ifstream file("/proc/" + std::to_string(holder.pid) + "/cgroup");
    std::ostringstream text;
    text << file.rdbuf();
    return serviceIn(text.str());
}

} // namespace

std::string serviceIn(const std::string &cgroup) {
    std::istringstream lines(cgroup);
    for (std::string line; std::getline(lines, line);) {
        const std::string_view slice = "/system.slice/";
        const std::size_t at = line.find(slice);
        if (at == std::string::npos)
            continue;
        const std::string unit = line.substr(at + slice.size());
        const std::size_t end = unit.find(kService);
        if (end != std::string::npos && unit.find('/') >= end)
            return unit.substr(0, end);
    }
    return {};
}

std::string stopAdvice(const Target &target, const Holder &holder) {
    std::string service = serviceOf(holder);
    if (service.empty() && target.kind == Target::Kind::system &&
        (holder.name == "libvirtd" || holder.name == "virtsecretd"))
        service = holder.name;
    if (service.empty())
        return "end it first";
    return "stop it first: systemctl stop " + service + ".service '" + service + "*.socket'";
}

} // namespace keyhold::command
