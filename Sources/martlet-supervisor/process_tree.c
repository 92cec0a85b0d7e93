/// Everything that descends from this process, found through /proc.
///
/// Process groups and sessions are no use here: setsid() leaves both. As this process is a subreaper,
/// whatever lost its parent becomes its child, so parent links lead to every descendant there is.
#define _GNU_SOURCE
#include "process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct process_list {
  struct process *items;
  size_t count;
  size_t room;
};

bool process_read(pid_t pid, struct process *process) {
  char path[32], stat[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t length = read(file, stat, sizeof stat - 1);
  close(file);
  if (length <= 0) return false;
  stat[length] = 0;

  // Field 2 is the program's name in parentheses and may hold anything, ")" too: field 3 follows the last.
  const char *field = strrchr(stat, ')');
  for (int number = 2; field && number < 24; field = strchr(field + 1, ' '), number++) {
    if (number == 4) process->parent = (pid_t)strtol(field + 1, NULL, 10);
    if (number == 22) process->start = strtoull(field + 1, NULL, 10);
  }
  if (!field) return false;
  process->pid = pid;
  process->resident = strtoull(field + 1, NULL, 10);
  return true;
}

static bool list_reserve(struct process_list *list) {
  if (list->count < list->room) return true;
  size_t room = 2 * list->count + 256;
  struct process *items = realloc(list->items, room * sizeof *items);
  if (!items) return false;
  list->items = items;
  list->room = room;
  return true;
}

/// All processes of this machine (or of this container).
static struct process_list list_all(void) {
  struct process_list list = {0};
  DIR *proc = opendir("/proc");
  if (!proc) return list;
  for (struct dirent *entry; (entry = readdir(proc));) {
    pid_t pid = (pid_t)atoi(entry->d_name);
    if (pid <= 0) continue;
    if (!list_reserve(&list)) break;  // those read so far are signalled; the rest when asked again
    if (process_read(pid, &list.items[list.count])) list.count++;
  }
  closedir(proc);
  return list;
}

static bool is_child_of_ours(const struct process_list *list, size_t ours, pid_t parent) {
  if (parent == getpid()) return true;
  for (size_t i = 0; i < ours; i++) {
    if (list->items[i].pid == parent) return true;
  }
  return false;
}

/// Moves our descendants to the front; returns how many they are.
static size_t gather_descendants(struct process_list *list) {
  size_t ours = 0, before;
  do {  // a pass finds the children of those found before it, until one finds none
    before = ours;
    for (size_t i = ours; i < list->count; i++) {
      if (!is_child_of_ours(list, ours, list->items[i].parent)) continue;
      struct process found = list->items[i];
      list->items[i] = list->items[ours];
      list->items[ours++] = found;
    }
  } while (ours > before);
  return ours;
}

/// Through a pidfd, because the number may have passed to a stranger since it was read.
static bool signal_process(const struct process *target, int signal) {
  int handle = (int)syscall(SYS_pidfd_open, target->pid, 0);
  if (handle < 0) return errno == ENOSYS && kill(target->pid, signal) == 0;  // before Linux 5.3
  struct process now;
  bool heard = process_read(target->pid, &now) && now.start == target->start &&
               syscall(SYS_pidfd_send_signal, handle, signal, NULL, 0) == 0;
  // A stopped process would hear nothing but SIGKILL until it is continued.
  if (heard && signal != SIGKILL) syscall(SYS_pidfd_send_signal, handle, SIGCONT, NULL, 0);
  close(handle);
  return heard;
}

int process_tree_signal(int signal) {
  struct process_list list = list_all();
  size_t ours = gather_descendants(&list);
  int heard = 0;
  for (size_t i = 0; i < ours; i++) heard += signal_process(&list.items[i], signal);
  free(list.items);
  return heard;
}
