/// The memory that everything below this process holds, looked at from time to time.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct usage {
  uint64_t peak;      // bytes; the most that was seen
  double next_exact;  // monotonic seconds: no exact measurement before
};

/// Looks once. Whether more than `limit` bytes are held; 0: no limit.
bool usage_look(struct usage *usage, uint64_t limit);

/// How often the kernel has killed for want of memory since the machine started, anybody's processes; 0: not known.
uint64_t machine_oom_kills(void);
