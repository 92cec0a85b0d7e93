// posix_spawn(3) with glibc's additions: closing from a descriptor on, changing the directory, a new session.

#define _GNU_SOURCE
#include "martlet_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

static int add_actions(const struct martlet_spawn *spawn, posix_spawn_file_actions_t *actions) {
  int error = 0;
  for (int target = 0; target < 3 && !error; target++) {
    int source = spawn->descriptors[target];
    error = source >= 0 ? posix_spawn_file_actions_adddup2(actions, source, target)
                        : posix_spawn_file_actions_addopen(actions, target, "/dev/null",
                                                           target == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
  if (!error && spawn->directory) {
    error = posix_spawn_file_actions_addchdir_np(actions, spawn->directory);
  }
  return error;
}

static int set_attributes(const struct martlet_spawn *spawn, posix_spawnattr_t *attributes) {
  short flags = POSIX_SPAWN_SETSIGMASK;
  sigset_t signals;
  sigemptyset(&signals);
  int error = posix_spawnattr_setsigmask(attributes, &signals);
  if (!error && spawn->resets_signals) {
    flags |= POSIX_SPAWN_SETSIGDEF;
    sigfillset(&signals);
    error = posix_spawnattr_setsigdefault(attributes, &signals);
  }
  // The group is 0 unless set: one of its own.
  if (spawn->standing == MARTLET_SPAWN_GROUP) flags |= POSIX_SPAWN_SETPGROUP;
  if (spawn->standing == MARTLET_SPAWN_SESSION) flags |= POSIX_SPAWN_SETSID;
  return error ? error : posix_spawnattr_setflags(attributes, flags);
}

int martlet_start(const struct martlet_spawn *spawn, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    error = add_actions(spawn, &actions);
    if (!error) error = set_attributes(spawn, &attributes);
    if (!error) {
      error = posix_spawn(pid, spawn->executable, &actions, &attributes, spawn->arguments,
                          spawn->environment);
    }
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

int martlet_process_handle(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
