// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/fault_script.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>

namespace keyhold {

void FaultScript::add(Kind kind, std::size_t k, Calls calls, int error, Effect effect) {
    faults_.push_back({kind, callCount(calls) + k, calls, {effect == Effect::done, -error}});
}

void FaultScript::clearFaults() {
    faults_.clear();
    lossAfter_.reset();
    isStopped_ = stopThrows_ = false;
}

FaultScript::Verdict FaultScript::judge(const Call &call) {
    ++all_;
    changing_ += call.changes ? 1 : 0;
    Verdict verdict;
    for (const Fault &fault : faults_) {
        const bool isCounted = fault.calls == Calls::all || call.changes;
        if (!isCounted || !fault.concerns(callCount(fault.calls)))
            continue;
        verdict = fault.verdict;
        isStopped_ |= fault.kind == Kind::stop || fault.kind == Kind::die;
        stopThrows_ |= fault.kind == Kind::stop;
    }
    if (isStopped_)
        return refuse(call);
    judgeLoss(call, verdict);
    verdict.isMade |= call.closes;
    return verdict;
}

FaultScript::Verdict FaultScript::refuse(const Call &call) const {
    if (stopThrows_ && !call.closes && std::uncaught_exceptions() == 0)
        throw Stopped{};
    return {false, -EIO};
}

void FaultScript::judgeLoss(const Call &call, Verdict &verdict) const {
    if (!lossAfter_ || call.closes)
        return;
    const auto &[calls, how] = *lossAfter_;
    if (changing_ < calls || (changing_ == calls && call.changes))
        return;
    if (call.syncs)
        verdict = {false, 0};
    else if (how == DiskLoss::shutDown && !call.asksReadOnly)
        verdict = {false, -EIO};
    else if (how == DiskLoss::readOnly && call.changes)
        verdict = {false, -EROFS};
    else if (how == DiskLoss::readOnly && call.asksReadOnly)
        verdict = {false, 1};
}

void FaultScript::note(const Call &call, ssize_t result) {
    std::string line = std::string(call.verb) + " " + call.path;
    if (result < 0)
        line += std::string(" = ") + ::strerrorname_np(static_cast<int>(-result));
    lines_.emplace_back(std::move(line), call.changes);
}

std::size_t FaultScript::callCount(Calls calls) const {
    return calls == Calls::all ? all_ : changing_;
}

std::vector<std::string> FaultScript::trace(Calls calls) const {
    std::vector<std::string> found;
    for (const auto &[line, changes] : lines_)
        if (calls == Calls::all || changes)
            found.push_back(line);
    return found;
}

void FaultScript::clearTrace() {
    std::erase_if(faults_, [&](const Fault &fault) {
        return fault.kind == Kind::failOnce && fault.first <= callCount(fault.calls);
    });
    for (Fault &fault : faults_)
        fault.first -= std::min(fault.first, callCount(fault.calls));
    if (lossAfter_)
        lossAfter_->first -= std::min(lossAfter_->first, changing_);
    all_ = changing_ = 0;
    lines_.clear();
}

} // namespace keyhold
