// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/leftovers.h"

#include <sodium.h>

namespace keyhold {
namespace {

void wipeVectorRegisters() noexcept {
#ifdef __x86_64__
#define VECTOR_REGISTERS                                                                           \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
    if (__builtin_cpu_supports("avx"))
        asm volatile("vzeroall" : : : VECTOR_REGISTERS);
    else
        asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "pxor %%xmm\\n, %%xmm\\n\n\t"
                     ".endr"
                     :
                     :
                     : VECTOR_REGISTERS);
#undef VECTOR_REGISTERS
#endif
}

} // namespace

void wipeLeftovers(std::size_t stackSize) noexcept {
    sodium_stackzero(stackSize);
    wipeVectorRegisters();
}

} // namespace keyhold
