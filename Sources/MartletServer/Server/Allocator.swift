// How malloc keeps memory that nobody uses at the moment.

import CMalloc
import Glibc

/// The settings of glibc's malloc for a server that runs for months (mallopt(3)).
///
/// Each thread that finds the others' arenas taken makes one of its own, up to eight a processor, and what is free in one
/// serves no other: after a sweep of 2,000 trials of which little is kept, 43 MB were in use instead of 28 with two arenas.
/// Large blocks are mapped by themselves and given back at once, rather than ever larger ones being kept.
enum Allocator {
  /// Called once, as early as may be: arenas that are there already stay.
  static func settle() {
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    mallopt(M_ARENA_MAX, Int32(clamping: min(max(2, processors), 16)))
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 1 << 20)
  }
}
