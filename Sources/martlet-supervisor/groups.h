/// The control groups of one attempt: made by whoever starts us, joined by the command, removed by us.
///
/// A group of version 2 can end all its processes at once (cgroup.kill) and may keep its memory within a limit; one
/// of version 1 keeps one resource within a limit. Which it is, is seen by the files in it.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { MOST_GROUPS = 4 };

struct groups {
  int count;
  const char *paths[MOST_GROUPS];
  int directories[MOST_GROUPS];
  int memory;      // the one of them that counts memory, -1: none
  int oom_events;  // of that one: memory.events or memory.oom_control, open; -1: none
};

/// What a group that counts memory tells of it.
struct group_memory {
  uint64_t peak;       // bytes, 0: not known
  uint64_t oom_kills;  // processes in it that the kernel killed for want of memory, its own limit's or anybody's
  bool is_at_limit;    // its own limit was what ran out
};

/// Opens `groups->paths`. False with errno when one is not there.
bool groups_open(struct groups *groups);

/// Processes killed in the group that counts memory so far; 0 where none counts.
uint64_t groups_oom_kills(const struct groups *groups);

struct group_memory groups_memory(const struct groups *groups);

/// Ends every process in every group that can.
void groups_kill(const struct groups *groups);

/// Removes the groups; one that is not empty stays, for the server to remove.
void groups_remove(struct groups *groups);
