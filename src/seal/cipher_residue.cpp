// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/cipher_residue.h"

#include <sodium.h>

#ifdef __x86_64__
#if __has_include(<sys/platform/x86.h>) && !defined(__clang__) // which refuses it as C++
// glibc 2.33 and later has asked the processor already; the compiler's own test would do it again
// when the module is loaded, and in a virtual machine each question takes microseconds.
#include <sys/platform/x86.h>
#define HAS_FEATURE(name, text) CPU_FEATURE_ACTIVE(name)
#else
#define HAS_FEATURE(name, text) __builtin_cpu_supports(text)
#endif
#endif

namespace keyhold {
namespace {

void wipeVectorRegisters() noexcept {
#ifdef __x86_64__
#define VECTOR_REGISTERS                                                                           \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
    if (HAS_FEATURE(AVX, "avx"))
        asm volatile("vzeroall" : : : VECTOR_REGISTERS);
    else
        asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "pxor %%xmm\\n, %%xmm\\n\n\t"
                     ".endr"
                     :
                     :
                     : VECTOR_REGISTERS);
    // The C library copies with these where there are any; code of ours does not know them.
    if (HAS_FEATURE(AVX512VL, "avx512vl"))
        asm volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
                     "vpxorq %%xmm\\n, %%xmm\\n, %%xmm\\n\n\t"
                     ".endr" ::
                         : "memory");
#undef VECTOR_REGISTERS
#endif
}

} // namespace

void wipeResidue(std::size_t stackSize) noexcept {
    sodium_stackzero(stackSize);
    wipeVectorRegisters();
}

} // namespace keyhold
