/// Starts a program in a process group of its own, with what an attempt needs between vfork and exec.
///
/// vfork, because its price does not grow with the parent's memory and because the child, which runs on the
/// parent's memory until it execs, can say directly which step failed. The parent stands still until exec has
/// happened: a program on a hanging network mount holds it.
#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/// What the child tells the parent; volatile, because it is written behind the compiler's back.
struct progress {
  const char *volatile step;
  volatile int error;
};

void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0u, 0u) == 0) return;
  for (int file = (int)first, end = getdtablesize(); file < end; file++) close(file);  // before Linux 5.9
}

void reset_signals(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  // Those that cannot be set (SIGKILL, SIGSTOP, libc's own two) refuse, which is as it should be.
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, NULL);
}

static bool limit_address_space(uint64_t bytes) {
  struct rlimit limit = {bytes, bytes};
  return bytes == 0 || setrlimit(RLIMIT_AS, &limit) == 0;
}

/// The hard limit of ours cannot be passed: then as many as it allows.
static bool limit_open_files(uint64_t count) {
  struct rlimit limit;
  if (count == 0) return true;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_max == RLIM_INFINITY || count < limit.rlim_max) limit.rlim_max = count;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool join_groups(const struct spawn_request *request) {
  for (int i = 0; i < request->group_count; i++) {
    int file = openat(request->groups[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "0", 1) != 1) return false;
    close(file);
  }
  return true;
}

static bool connect_descriptors(const struct spawn_request *request) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null >= 0 && dup2(null, 0) == 0 && dup2(request->output, 1) == 1 && dup2(request->errors, 2) == 2;
}

static _Noreturn void give_up(struct progress *progress, int error) {
  progress->error = error;
  _exit(127);
}

static void require(struct progress *progress, bool succeeded) {
  if (!succeeded) give_up(progress, errno);
}

/// The child's side, from vfork to exec. Signals are blocked until just before exec, and have their default meanings
/// since our own start (`reset_signals`).
static _Noreturn void become_command(const struct spawn_request *request, struct progress *progress) {
  progress->step = "setpgid";
  require(progress, setpgid(0, 0) == 0);
  progress->step = "descriptors";
  require(progress, connect_descriptors(request));
  progress->step = "cgroup";
  require(progress, join_groups(request));
  progress->step = "chdir";
  require(progress, !request->directory || chdir(request->directory) == 0);
  progress->step = "setrlimit";
  require(progress, limit_address_space(request->address_space) && limit_open_files(request->open_files));
  progress->step = "sched_setaffinity";
  require(progress, !request->cpus || sched_setaffinity(0, sizeof *request->cpus, request->cpus) == 0);
  progress->step = "record";
  int error = request->before_exec ? request->before_exec(request->context, getpid()) : 0;
  if (error) give_up(progress, error);
  close_from(3);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  progress->step = "exec";
  execvpe(request->command[0], request->command, environ);
  give_up(progress, errno);
}

pid_t spawn(const struct spawn_request *request, const char **step) {
  struct progress progress = {.step = "vfork"};
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);  // no handler may run in the child while it is on our memory
  pid_t pid = vfork();
  if (pid == 0) become_command(request, &progress);
  int error = pid < 0 ? errno : progress.error;
  sigprocmask(SIG_SETMASK, &before, NULL);
  *step = progress.step;
  if (error && pid > 0) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
  }
  return error ? -error : pid;
}
