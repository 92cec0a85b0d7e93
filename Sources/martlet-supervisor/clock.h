/// Seconds and microseconds from the kernel's clocks.
#pragma once
#include <stdint.h>
#include <time.h>

/// Seconds on a clock that never jumps; only differences mean anything.
static inline double monotonic_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/// Microseconds since 1970, as the rest of Martlet counts them.
static inline int64_t wall_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
