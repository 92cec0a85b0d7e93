/// One attempt, from the start of its command until the last process of its tree is gone.
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "groups.h"
#include "log_index.h"
#include "records.h"

struct attempt_options {
  char *const *command;
  const char *directory;   // the command's working directory, NULL: the supervisor's own
  struct groups groups;    // control groups to join, to kill with and to remove; only their paths are set
  const cpu_set_t *cpus;   // where the tree may run, NULL: wherever we may
  double timeout;          // seconds, 0: none
  double grace;            // seconds between asking to leave and SIGKILL
  double output;           // most bytes of stdout.log and stderr.log together, 0: no limit
  uint64_t memory;         // most bytes that the tree may hold, kept by looking at it; 0: no limit
  uint64_t address_space;  // RLIMIT_AS in bytes, 0: no limit
  uint64_t open_files;     // RLIMIT_NOFILE, 0: ours
  pid_t parent;            // whose end is a stop request, 0: nobody's
  bool ask_by_usr1;        // a stop request or time-out: SIGUSR1 to the command, not SIGTERM to its group
};

/// Runs the command and watches over its tree; `end` then says what exit.json will say.
/// SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGCHLD have been blocked by the caller.
void attempt_run(const struct attempt_options *options, int records, struct attempt_record *record,
                 struct log_index *logs, struct exit_record *end);
