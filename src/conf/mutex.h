// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mutex>

// What a lock guards, for clang to check; g++ does not know these. Names and meanings:
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html. Constructors, destructors and handlers of
// exceptions are not looked into.
#ifdef __clang__
#define THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define THREAD_ANNOTATION(attribute)
#endif
#define CAPABILITY(name) THREAD_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(mutex) THREAD_ANNOTATION(guarded_by(mutex))
#define REQUIRES(...) THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ANNOTATION(no_thread_safety_analysis)

namespace keyhold {

/// std::mutex, as clang's analysis knows it: `int count_ GUARDED_BY(mutex_)` says what it guards.
/// Only a MutexLock takes it.
class CAPABILITY("mutex") Mutex : std::mutex {
    friend class MutexLock;
};

/// Holds a Mutex while it lives. The condition variables of the standard wait with it.
class SCOPED_CAPABILITY MutexLock : public std::unique_lock<std::mutex> {
  public:
    explicit MutexLock(Mutex &mutex) ACQUIRE(mutex) : unique_lock(mutex) {}
    ~MutexLock() RELEASE() {}
    void lock() ACQUIRE() { unique_lock::lock(); }
    void unlock() RELEASE() { unique_lock::unlock(); }
};

} // namespace keyhold
