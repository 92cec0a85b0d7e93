// The loops for x86 processors with vectors of eight numbers (AVX-512).

#if defined(__x86_64__)
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("arch=haswell,avx512f"))), apply_to = function)
#define TABLE martlet_loops_avx512
#include "loops.h"
#pragma clang attribute pop
#endif
