/// Starts a program in a process group of its own, with what an attempt needs between vfork and exec.
#pragma once
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn_request {
  char *const *command;    // command[0] is looked up in PATH, as a shell does
  const char *directory;   // NULL: stay here
  int output;              // becomes the command's standard output; above 2
  int errors;              // becomes its standard error; above 2
  uint64_t address_space;  // RLIMIT_AS in bytes, 0: no limit
  uint64_t open_files;     // RLIMIT_NOFILE, or as many as may be had; 0: no limit of our own
  const cpu_set_t *cpus;   // where it may run, NULL: wherever we may
  const int *groups;       // directories of the control groups to join
  int group_count;
  /// Called with the command's pid when all but exec is done; 0, or the errno that keeps it from starting.
  /// It runs in the child on the parent's memory: no allocation, no locks.
  int (*before_exec)(void *context, pid_t pid);
  void *context;
};

/// The command's pid, or -errno of the step that failed, which *step then names ("chdir", "exec", …).
pid_t spawn(const struct spawn_request *request, const char **step);

/// Closes every descriptor from `first` on.
void close_from(unsigned first);

/// Gives every signal its default meaning again.
void reset_signals(void);
