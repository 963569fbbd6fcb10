// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// Handlers for the errors of libxml2, such as a process that loads us may have set (lxml does).
/// They count their calls; the destructor takes them away.
class ProcessHandlers {
  public:
    ProcessHandlers();
    ProcessHandlers(const ProcessHandlers &) = delete;
    ProcessHandlers &operator=(const ProcessHandlers &) = delete;
    ~ProcessHandlers();

    [[nodiscard]] int calls() const { return calls_; }
    /// Whether libxml2 still has them.
    [[nodiscard]] bool areSet() const;

  private:
    int calls_ = 0;
};

} // namespace keyhold
