/// One attempt, from the start of its command until the last process of its tree is gone.
///
/// All happens in one thread that waits for signals: a child's end, a stop request, or the next tick.
/// An end has two halves: the command's own, asked for or not, and that of whatever it left behind.
#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "process_tree.h"
#include "spawn.h"

static const double NEVER = 1e18;
static const double TICK = 0.1;                // seconds between two looks at the logs
static const double LEFTOVERS_GRACE = 3;       // a metric sender empties its spool in this time
static const double FIRST_KILL_PAUSE = 0.1;    // what SIGKILL cannot end at once (uninterruptible sleep) is
static const double LONGEST_KILL_PAUSE = 5;    // asked less and less often

/// Where a running attempt stands. Times are of the monotonic clock.
struct watch {
  const struct attempt_options *options;
  pid_t command;
  bool alive;         // the command itself
  int status;         // as waitpid gave it, once it is not alive
  const char *asked;  // why it was asked to leave; NULL when it was not
  bool swept;         // the leftovers were asked to leave
  bool killed;
  int leftovers;
  int cgroup;         // descriptor of the cgroup's directory, -1: none
  double started;
  double ended;       // the command's end
  int64_t ended_us;
  double next_tick;
  double deadline;
  double kill_at;
  double kill_pause;
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

// MARK: - The start

struct start_note {
  struct attempt_record *record;
  int records;
};

/// Runs in the child, which holds our lock until it execs: so whoever finds the lock free and no command in
/// attempt.json knows that none was started, even if we are killed in between.
static int note_command(void *context, pid_t pid) {
  struct start_note *note = context;
  struct process command;
  if (!process_read(pid, &command)) return ESRCH;
  // Not durable: after a power cut the number means nothing, and attempt.json is on the disk either way.
  return attempt_record_write(note->record, note->records, &command, false) ? 0 : errno;
}

/// The command's pid, or -errno of *step.
static pid_t start(struct watch *watch, int records, struct attempt_record *record, struct log_index *logs,
                   const char **step) {
  const struct attempt_options *options = watch->options;
  struct start_note note = {record, records};
  struct spawn_request request = {
    .command = options->command,
    .directory = options->directory,
    .output = logs->logs[0],
    .errors = logs->logs[1],
    .address_space = options->address_space,
    .cgroup_processes = -1,
    .before_exec = note_command,
    .context = &note,
  };
  if (options->cgroup) {
    *step = "cgroup";
    watch->cgroup = open(options->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (watch->cgroup < 0) return -errno;
    request.cgroup_processes = openat(watch->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (request.cgroup_processes < 0) return -errno;
  }
  pid_t pid = spawn(&request, step);
  if (request.cgroup_processes >= 0) close(request.cgroup_processes);
  // Should this fail, exit.json still tells that nothing ran.
  if (pid < 0) attempt_record_write(record, records, NULL, false);
  return pid;
}

// MARK: - The end

static void ask_to_leave(struct watch *watch, const char *why, bool may_use_usr1, double now) {
  watch->asked = why;
  watch->deadline = NEVER;
  watch->kill_at = now + watch->options->grace;
  if (may_use_usr1 && watch->options->ask_by_usr1) {
    kill(watch->command, SIGUSR1);
  } else if (kill(-watch->command, SIGTERM) != 0) {
    kill(watch->command, SIGTERM);  // it left the group that we gave it
  }
  kill(-watch->command, SIGCONT);  // a stopped process would not hear it
  kill(watch->command, SIGCONT);
}

/// Asks the command to leave when there is a reason to.
static void look_for_a_reason(struct watch *watch, int signal, bool over_limit, double now) {
  if (signal == SIGTERM || signal == SIGINT) {
    ask_to_leave(watch, "stopped", true, now);
  } else if (now >= watch->deadline) {
    ask_to_leave(watch, "timed out", true, now);
  } else if (over_limit) {
    ask_to_leave(watch, "output limit", false, now);
  }
}

/// The command has ended: what it left behind is asked to do the same.
static void sweep_leftovers(struct watch *watch, double now) {
  watch->swept = true;
  watch->deadline = NEVER;
  watch->leftovers = process_tree_signal(SIGTERM);
  // A command that was asked to leave has used part of the grace, which is the whole tree's.
  if (!watch->asked) watch->kill_at = now + most(watch->options->grace, LEFTOVERS_GRACE);
}

static void kill_tree(struct watch *watch, double now) {
  if (watch->cgroup >= 0) {
    // Absent before Linux 5.14; then, and whenever it fails, the walk below does the same.
    int file = openat(watch->cgroup, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
      ssize_t written = write(file, "1", 1);
      (void)written;
      close(file);
    }
  }
  process_tree_signal(SIGKILL);
  watch->killed = true;
  watch->kill_at = now + watch->kill_pause;
  watch->kill_pause = least(2 * watch->kill_pause, LONGEST_KILL_PAUSE);
}

/// Takes the status of everything that has ended. False when no child is left, adopted orphans included.
static bool reap(struct watch *watch) {
  for (;;) {
    // Peeked at, then taken by its own number: waitpid(-1) has been seen to lose the command's status among
    // orphans.
    siginfo_t dead = {0};
    if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0) return errno != ECHILD;
    if (dead.si_pid == 0) return true;
    bool is_command = watch->alive && dead.si_pid == watch->command;
    waitpid(dead.si_pid, is_command ? &watch->status : NULL, 0);
    if (is_command) {
      watch->alive = false;
      watch->ended = monotonic_seconds();
      watch->ended_us = wall_microseconds();
    }
  }
}

// MARK: - Between the two

/// The next blocked signal; -1 when the next thing to do is due first.
static int wait_for_signal(const struct watch *watch) {
  double due = least(watch->next_tick, least(watch->deadline, watch->kill_at));
  double seconds = most(0, due - monotonic_seconds());
  struct timespec timeout = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  sigset_t signals;
  sigprocmask(SIG_SETMASK, NULL, &signals);
  return sigtimedwait(&signals, NULL, &timeout);
}

static void watch_until_gone(struct watch *watch, struct log_index *logs) {
  for (;;) {
    int signal = wait_for_signal(watch);
    if (!reap(watch)) return;
    double now = monotonic_seconds();
    bool over_limit = false;
    if (now >= watch->next_tick) {
      double size = (double)log_index_update(logs, false);
      over_limit = watch->options->output > 0 && size > watch->options->output;
      watch->next_tick = now + TICK;
    }
    if (watch->alive && signal == SIGUSR1) kill(watch->command, SIGUSR1);
    if (watch->alive && !watch->asked) look_for_a_reason(watch, signal, over_limit, now);
    if (!watch->alive && !watch->swept) sweep_leftovers(watch, now);
    if (now >= watch->kill_at) kill_tree(watch, now);
  }
}

static void describe_end(const struct watch *watch, struct exit_record *end) {
  end->code = WIFEXITED(watch->status) ? WEXITSTATUS(watch->status) : -1;
  end->signal = WIFSIGNALED(watch->status) ? WTERMSIG(watch->status) : 0;
  const char *name = end->signal ? sigabbrev_np(end->signal) : NULL;
  if (watch->asked) {
    snprintf(end->reason, sizeof end->reason, "%s", watch->asked);
  } else if (name) {
    snprintf(end->reason, sizeof end->reason, "SIG%s", name);
  } else if (end->signal) {
    snprintf(end->reason, sizeof end->reason, "signal %d", end->signal);
  } else {
    snprintf(end->reason, sizeof end->reason, "exited");
  }
}

void attempt_run(const struct attempt_options *options, int records, struct attempt_record *record,
                 struct log_index *logs, struct exit_record *end) {
  double now = monotonic_seconds();
  struct watch watch = {
    .options = options,
    .cgroup = -1,
    .started = now,
    .next_tick = now + TICK,
    .deadline = options->timeout > 0 ? now + options->timeout : NEVER,
    .kill_at = NEVER,
    .kill_pause = FIRST_KILL_PAUSE,
  };
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // orphans of the tree come to us, setsid or not
  const char *step = NULL;
  watch.command = start(&watch, records, record, logs, &step);
  if (watch.command < 0) {
    end->code = -1;
    end->error = -watch.command;
    end->ended_us = wall_microseconds();
    end->wall = monotonic_seconds() - watch.started;
    snprintf(end->reason, sizeof end->reason, "%s: %s", step, strerror(end->error));
  } else {
    watch.alive = true;
    watch_until_gone(&watch, logs);
    log_index_update(logs, true);
    describe_end(&watch, end);
    end->killed = watch.killed;
    end->leftovers = watch.leftovers;
    end->ended_us = watch.ended_us;
    end->wall = watch.ended - watch.started;
  }
  getrusage(RUSAGE_CHILDREN, &end->usage);  // the command's, its waited-for children's, the orphans'
}
