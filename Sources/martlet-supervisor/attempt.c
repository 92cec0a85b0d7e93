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
#include "groups.h"
#include "process_tree.h"
#include "spawn.h"
#include "usage.h"

static const double NEVER = 1e18;
static const double TICK = 0.1;                // seconds between two looks at the logs
static const double CENSUS = 1;                // and at the memory, where no limit of it is ours to keep
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
  const char *limit;  // which limit that was; NULL: none
  bool swept;         // the leftovers were asked to leave
  bool killed;
  bool is_over_memory;
  int leftovers;
  int records;        // descriptor of the attempt's directory
  struct groups groups;
  struct usage usage;
  double next_census;
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
  return attempt_record_note(note->record, note->records, &command) ? 0 : errno;
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
    .open_files = options->open_files,
    .cpus = options->cpus,
    .before_exec = note_command,
    .context = &note,
  };
  *step = "cgroup";
  if (!groups_open(&watch->groups)) return -errno;
  request.groups = watch->groups.directories;
  request.group_count = watch->groups.count;
  pid_t pid = spawn(&request, step);
  // Should this fail, exit.json still tells that nothing ran.
  if (pid < 0) attempt_record_note(record, records, NULL);
  return pid;
}

// MARK: - The end

/// Whether the program itself said that it saves and leaves on SIGUSR1: its client leaves word in its spool.
static bool handles_usr1(const struct watch *watch) {
  int file = openat(watch->records, "spool/stop_signal", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  char word[4];
  bool handles = read(file, word, sizeof word) == sizeof word && memcmp(word, "USR1", sizeof word) == 0;
  close(file);
  return handles;
}

static void ask_to_leave(struct watch *watch, const char *why, bool may_use_usr1, double now) {
  watch->asked = why;
  watch->deadline = NEVER;
  watch->kill_at = now + watch->options->grace;
  if (may_use_usr1 && (watch->options->ask_by_usr1 || handles_usr1(watch))) {
    kill(watch->command, SIGUSR1);
  } else if (kill(-watch->command, SIGTERM) != 0) {
    kill(watch->command, SIGTERM);  // it left the group that we gave it
  }
  kill(-watch->command, SIGCONT);  // a stopped process would not hear it
  kill(watch->command, SIGCONT);
}

/// More memory than it may have: nothing is asked, since the machine may have no more to give. Why the command ends,
/// or did, is not this if it was asked before.
static void end_for_memory(struct watch *watch, double now) {
  watch->is_over_memory = true;
  watch->deadline = NEVER;
  watch->kill_at = now;
  if (!watch->alive || watch->asked) return;
  watch->asked = "memory limit";
  watch->limit = "memory";
}

/// Whether a memory limit of the tree was passed: we saw it, or the kernel has killed for it.
static bool is_over_memory(struct watch *watch, double now) {
  bool over = false;
  if (now >= watch->next_census) {
    over = usage_look(&watch->usage, watch->options->memory);
    watch->next_census = now + (watch->options->memory > 0 ? TICK : CENSUS);
  }
  return over || (groups_oom_kills(&watch->groups) > 0 && groups_memory(&watch->groups).is_at_limit);
}

/// Asks the command to leave when there is a reason to.
static void look_for_a_reason(struct watch *watch, int signal, bool over_limit, double now) {
  if (signal == SIGTERM || signal == SIGINT) {
    ask_to_leave(watch, "stopped", true, now);
  } else if (now >= watch->deadline) {
    ask_to_leave(watch, "timed out", true, now);
    watch->limit = "time";
  } else if (over_limit) {
    ask_to_leave(watch, "output limit", false, now);
    watch->limit = "output";
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
  groups_kill(&watch->groups);
  process_tree_signal(SIGKILL);  // where no group could do it, or not all of it
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
      if (!watch->is_over_memory && is_over_memory(watch, now)) end_for_memory(watch, now);
      watch->next_tick = now + TICK;
    }
    if (watch->alive && signal == SIGUSR1) kill(watch->command, SIGUSR1);
    if (watch->alive && !watch->asked) look_for_a_reason(watch, signal, over_limit, now);
    if (!watch->alive && !watch->swept) sweep_leftovers(watch, now);
    if (now >= watch->kill_at) kill_tree(watch, now);
  }
}

/// What is known of memory when all is over. `before`: the machine's count of kills at the start.
static void describe_memory(struct watch *watch, uint64_t before, struct exit_record *end) {
  struct group_memory group = groups_memory(&watch->groups);
  bool is_killed = WIFSIGNALED(watch->status) && WTERMSIG(watch->status) == SIGKILL;
  bool is_success = WIFEXITED(watch->status) && WEXITSTATUS(watch->status) == 0;
  end->oom_kills = group.oom_kills;
  if (!watch->asked && group.oom_kills > 0 && group.is_at_limit && !is_success) {
    watch->asked = "memory limit";  // between two looks
    watch->limit = "memory";
  }
  if (is_killed && !watch->asked) {
    uint64_t now = machine_oom_kills();
    end->machine_oom_kills = now > before ? now - before : 0;
  }
  uint64_t largest = (uint64_t)end->usage.ru_maxrss * 1024;
  end->peak_bytes = watch->usage.peak > largest ? watch->usage.peak : largest;
  // What a group counts, files it has read included, is what its limit is kept by.
  bool is_at_limit = watch->limit && strcmp(watch->limit, "memory") == 0;
  if (is_at_limit && group.peak > 0) end->peak_bytes = group.peak;
}

static void describe_end(const struct watch *watch, struct exit_record *end) {
  end->limit = watch->limit;
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
    .records = records,
    .groups = options->groups,
    .started = now,
    .next_tick = now + TICK,
    .next_census = now + TICK,
    .deadline = options->timeout > 0 ? now + options->timeout : NEVER,
    .kill_at = NEVER,
    .kill_pause = FIRST_KILL_PAUSE,
  };
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // orphans of the tree come to us, setsid or not
  uint64_t kills_before = machine_oom_kills();
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
    getrusage(RUSAGE_CHILDREN, &end->usage);  // the command's, its waited-for children's, the orphans'
    describe_memory(&watch, kills_before, end);
    describe_end(&watch, end);
    end->killed = watch.killed;
    end->leftovers = watch.leftovers;
    end->ended_us = watch.ended_us;
    end->wall = watch.ended - watch.started;
  }
  groups_remove(&watch.groups);
}
