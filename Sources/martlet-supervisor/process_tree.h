/// Everything that descends from this process, found through /proc.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// A process, told apart from a later one that got the same number by when it started.
struct process {
  pid_t pid;
  pid_t parent;
  unsigned long long start;     // clock ticks since boot: field 22 of /proc/PID/stat
  unsigned long long resident;  // pages in memory: field 24
};

/// Reads /proc/PID/stat. False when there is no such process (any more).
/// Calls nothing but open, read, close and string functions: it may run between vfork and exec.
bool process_read(pid_t pid, struct process *process);

/// Signals every descendant that /proc shows now and returns how many heard it. One that was forked
/// meanwhile is missed; it is found when asked again.
int process_tree_signal(int signal);
