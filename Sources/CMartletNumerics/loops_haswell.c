// The loops for x86 processors since 2013 (AVX2).

#if defined(__x86_64__)
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("arch=haswell"))), apply_to = function)
#define TABLE martlet_loops_haswell
#include "loops.h"
#pragma clang attribute pop
#endif
