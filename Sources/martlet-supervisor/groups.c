/// The control groups of one attempt: made by whoever starts us, joined by the command, removed by us.
///
/// All files are those of cgroups(7): Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
#define _GNU_SOURCE
#include "groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REMOVAL_TRIES = 50, REMOVAL_PAUSE_US = 2000 };
enum { LIMIT_SLACK = 1 << 20 };  // bytes: what is refused was asked for in one piece

static int open_in(const struct groups *groups, int group, const char *name, int flags) {
  return openat(groups->directories[group], name, flags | O_CLOEXEC);
}

bool groups_open(struct groups *groups) {
  groups->memory = groups->oom_events = -1;
  for (int i = 0; i < groups->count; i++) {
    groups->directories[i] = open(groups->paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (groups->directories[i] < 0) {
      int error = errno;
      while (--i >= 0) close(groups->directories[i]);
      groups->count = 0;
      errno = error;
      return false;
    }
    if (groups->memory >= 0) continue;
    int file = open_in(groups, i, "memory.events", O_RDONLY);                // version 2
    if (file < 0) file = open_in(groups, i, "memory.oom_control", O_RDONLY);  // version 1
    if (file < 0) continue;
    groups->memory = i;
    groups->oom_events = file;
  }
  return true;
}

/// The number after `name` at the beginning of a line, 0 where there is none.
static uint64_t number_of(const char *text, const char *name) {
  size_t length = strlen(name);
  for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
    if (strncmp(line, name, length) == 0 && line[length] == ' ') return strtoull(line + length, NULL, 10);
  }
  return 0;
}

static bool read_text(int file, char *text, size_t room) {
  ssize_t length = pread(file, text, room - 1, 0);
  text[length > 0 ? length : 0] = 0;
  return length > 0;
}

/// A file that holds one number; 0 where it is not there.
static uint64_t read_number(const struct groups *groups, const char *name) {
  int file = open_in(groups, groups->memory, name, O_RDONLY);
  if (file < 0) return 0;
  char text[32];
  uint64_t number = read_text(file, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
  close(file);
  return number;
}

uint64_t groups_oom_kills(const struct groups *groups) {
  char text[512];
  if (groups->oom_events < 0 || !read_text(groups->oom_events, text, sizeof text)) return 0;
  return number_of(text, "oom_kill");
}

struct group_memory groups_memory(const struct groups *groups) {
  struct group_memory memory = {0};
  char text[512];
  if (groups->oom_events < 0 || !read_text(groups->oom_events, text, sizeof text)) return memory;
  memory.oom_kills = number_of(text, "oom_kill");
  memory.peak = read_number(groups, "memory.peak");
  if (memory.peak == 0) memory.peak = read_number(groups, "memory.max_usage_in_bytes");
  // Version 2 counts how often its own limit was the reason. Of version 1 some kernels count what was refused, others
  // show it only by the peak.
  uint64_t limit = read_number(groups, "memory.limit_in_bytes");
  memory.is_at_limit = number_of(text, "oom") > 0 || read_number(groups, "memory.failcnt") > 0 ||
                       (limit > 0 && memory.peak + LIMIT_SLACK >= limit);
  return memory;
}

void groups_kill(const struct groups *groups) {
  for (int i = 0; i < groups->count; i++) {
    // Absent in version 1, and before Linux 5.14.
    int file = open_in(groups, i, "cgroup.kill", O_WRONLY);
    if (file < 0) continue;
    ssize_t written = write(file, "1", 1);
    (void)written;
    close(file);
  }
}

/// The server's own directory goes with the last group in it; the server makes it again.
static void remove_parent(const char *path) {
  char parent[4096];
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (length == 0 || length >= sizeof parent) return;
  memcpy(parent, path, length);
  parent[length] = 0;
  const char *name = strrchr(parent, '/');
  if (name && strncmp(name, "/martlet-", strlen("/martlet-")) == 0) rmdir(parent);
}

void groups_remove(struct groups *groups) {
  if (groups->oom_events >= 0) close(groups->oom_events);
  for (int i = 0; i < groups->count; i++) {
    close(groups->directories[i]);
    for (int tries = 0; rmdir(groups->paths[i]) != 0 && errno == EBUSY && tries < REMOVAL_TRIES; tries++) {
      usleep(REMOVAL_PAUSE_US);  // who was killed may still be on the way out
    }
    remove_parent(groups->paths[i]);
  }
  groups->count = 0;
  groups->memory = groups->oom_events = -1;
}
