// posix_spawn(3) with glibc's additions, which its headers do not show to Swift.

#pragma once

#include <sys/types.h>

enum martlet_standing {
  MARTLET_SPAWN_OURS,     // in the caller's process group
  MARTLET_SPAWN_GROUP,    // a process group of its own
  MARTLET_SPAWN_SESSION,  // a session of its own
};

struct martlet_spawn {
  const char *executable;
  char *const *arguments;    // from argv[0] to a NULL
  char *const *environment;  // "name=value" to a NULL
  const char *directory;     // NULL: the caller's
  int descriptors[3];        // what its first three are copies of; -1: /dev/null
  enum martlet_standing standing;
  int resets_signals;  // 0: what the caller ignores is ignored
};

// Starts a program that has no other descriptor of the caller's, be it closed on exec or not, and no signal blocked.
// Returns 0 or an error number.
int martlet_start(const struct martlet_spawn *spawn, pid_t *pid);

// A descriptor of a child that can be read from when it has ended (pidfd_open(2)); -1 where the kernel has none.
int martlet_process_handle(pid_t pid);
