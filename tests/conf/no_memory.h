// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// As long as it lives, operator new of this thread raises std::bad_alloc. malloc goes on, and with
/// it libvirt. A program that uses it has its operators new and delete from no_memory.cpp.
class NoMemory {
  public:
    NoMemory();
    ~NoMemory();
    NoMemory(const NoMemory &) = delete;
    NoMemory &operator=(const NoMemory &) = delete;
};

} // namespace keyhold
