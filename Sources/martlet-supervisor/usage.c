/// The memory that everything below this process holds, looked at from time to time.
///
/// What several processes share, as the workers of a data loader do, would be counted by their resident sizes as
/// often as there are processes. So their sum only says when to look closely: at the proportional sizes
/// (smaps_rollup), which add up to what is really held, and which cost the kernel a walk over all pages.
#define _GNU_SOURCE
#include "usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "process_tree.h"

enum { MOST_PROCESSES = 4096 };

// A measurement rests for so many times as long as it took.
static const double REST = 100, REST_NEAR_LIMIT = 10;

struct census {
  uint64_t resident;
  int count;
  pid_t processes[MOST_PROCESSES];
};

static ssize_t read_file(const char *path, char *text, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, room - 1);
  close(file);
  text[length > 0 ? length : 0] = 0;
  return length;
}

/// Adds the children of one thread.
static void add_children(struct census *census, pid_t process, const char *thread) {
  char path[96], text[8192];
  snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", process, thread);
  if (read_file(path, text, sizeof text) <= 0) return;
  for (char *next = text; census->count < MOST_PROCESSES;) {
    char *end;
    long pid = strtol(next, &end, 10);
    if (end == next) return;
    census->processes[census->count++] = (pid_t)pid;
    next = end;
  }
}

/// Whoever descends from this process, by its threads' lists of children: no look at anybody else's processes.
static void take_census(struct census *census) {
  static long page;
  if (page == 0) page = sysconf(_SC_PAGESIZE);
  census->count = 0;
  census->resident = 0;
  char own[16];
  snprintf(own, sizeof own, "%d", getpid());
  add_children(census, getpid(), own);
  for (int i = 0; i < census->count; i++) {
    struct process process;
    if (!process_read(census->processes[i], &process)) continue;
    census->resident += process.resident * (uint64_t)page;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/task", process.pid);
    DIR *threads = opendir(path);
    if (!threads) continue;
    for (struct dirent *thread; (thread = readdir(threads));) {
      if (thread->d_name[0] != '.') add_children(census, process.pid, thread->d_name);
    }
    closedir(threads);
  }
}

/// The proportional size; of one that does not show it (another user's), or is gone, the resident one.
static uint64_t proportional(pid_t pid) {
  char path[40], text[2048];
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  const char *line = read_file(path, text, sizeof text) > 0 ? strstr(text, "\nPss:") : NULL;
  if (line) return strtoull(line + 5, NULL, 10) * 1024;
  struct process process;
  return process_read(pid, &process) ? process.resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

bool usage_look(struct usage *usage, uint64_t limit) {
  static struct census census;  // too large for the stack, and needed again and again
  take_census(&census);
  uint64_t bytes = census.resident;
  if (bytes <= usage->peak) return false;
  if (census.count > 1) {
    double began = monotonic_seconds();
    if (began < usage->next_exact) return false;
    bytes = 0;
    for (int i = 0; i < census.count; i++) bytes += proportional(census.processes[i]);
    double ended = monotonic_seconds();
    bool is_near = limit > 0 && census.resident > limit;
    usage->next_exact = ended + (ended - began) * (is_near ? REST_NEAR_LIMIT : REST);
  }
  if (bytes > usage->peak) usage->peak = bytes;
  return limit > 0 && bytes > limit;
}

uint64_t machine_oom_kills(void) {
  char text[16384];
  if (read_file("/proc/vmstat", text, sizeof text) <= 0) return 0;
  const char *line = strstr(text, "\noom_kill ");
  return line ? strtoull(line + strlen("\noom_kill "), NULL, 10) : 0;
}
