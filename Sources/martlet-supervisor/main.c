/// Runs one attempt and outlives the server: its directory holds all that the server, alive or restarted,
/// must know. docs/supervisor.md is the contract.
///
/// A C program, because there is one for every attempt: it starts at once and stays small.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "clock.h"
#include "log_index.h"
#include "process_tree.h"
#include "records.h"
#include "spawn.h"

/// Exit statuses; nothing was started with any but SUCCESS (and CANNOT_WRITE when exit.json was what failed).
enum {
  SUCCESS = 0,  // exit.json is written
  USAGE = 64,
  CANNOT_WRITE = 73,
  LOCK_IS_HELD = 75,
  MAY_NOT_START = 77,
};

enum { EXIT_RECORD_TRIES = 600 };  // one a second

static const char usage[] =
  "usage: martlet-supervisor [options] DIRECTORY -- COMMAND [ARGUMENT...]\n"
  "  -t SECONDS  time limit\n"
  "  -g SECONDS  grace between asking to leave and SIGKILL (10)\n"
  "  -u          ask by SIGUSR1 on a stop request or time-out, not by SIGTERM\n"
  "  -o BYTES    most output, both streams together\n"
  "  -M BYTES    most memory of the whole tree, looked at every 0.1 s\n"
  "  -n COUNT    most open files of one process (RLIMIT_NOFILE)\n"
  "  -c LIST     CPUs to run on: 0,2-3\n"
  "  -C DIR      the command's working directory\n"
  "  -m MIB      most address space of one process (RLIMIT_AS)\n"
  "  -G DIR      control group to join, to kill with, to remove at the end; repeatable\n"
  "SIGTERM or SIGINT asks the command to stop; SIGUSR1 is passed on to it.\n";

static _Noreturn void refuse_usage(const char *what) {
  dprintf(2, "martlet-supervisor: %s; nothing was started.\n%s", what, usage);
  exit(USAGE);
}

static _Noreturn void refuse(int status, const char *directory, const char *what) {
  dprintf(2, "martlet-supervisor: %s: %s; nothing was started.\n", directory, what);
  exit(status);
}

static double parse_number(char option, const char *text) {
  char *end;
  double number = strtod(text, &end);
  if (end != text && *end == 0 && isfinite(number) && number >= 0) return number;
  char what[128];
  snprintf(what, sizeof what, "-%c takes a number that is not negative, not '%.60s'", option, text);
  refuse_usage(what);
}

/// "0,2-3": numbers and ranges of them.
static const cpu_set_t *parse_cpus(const char *text) {
  static cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const char *next = text;;) {
    char *end;
    unsigned long first = strtoul(next, &end, 10), last = first;
    bool is_number = end != next && next[0] >= '0' && next[0] <= '9';
    if (is_number && *end == '-' && end[1] >= '0' && end[1] <= '9') last = strtoul(end + 1, &end, 10);
    if (!is_number || (*end && *end != ',') || last < first || last >= CPU_SETSIZE) {
      char what[128];
      snprintf(what, sizeof what, "-c takes numbers of CPUs like 0,2-3, not '%.60s'", text);
      refuse_usage(what);
    }
    for (; first <= last; first++) CPU_SET(first, &cpus);
    if (!*end) return &cpus;
    next = end + 1;
  }
}

static void add_group(struct groups *groups, const char *path) {
  if (groups->count == MOST_GROUPS) refuse_usage("there are more control groups than hierarchies");
  groups->paths[groups->count++] = path;
}

/// Reads the command line; returns the attempt's directory.
static const char *parse(int count, char **arguments, struct attempt_options *options) {
  for (int option; (option = getopt(count, arguments, "+:t:g:uo:M:n:c:C:m:G:")) != -1;) {
    char what[64];
    switch (option) {
    case 't': options->timeout = parse_number('t', optarg); break;
    case 'g': options->grace = parse_number('g', optarg); break;
    case 'u': options->ask_by_usr1 = true; break;
    case 'o': options->output = parse_number('o', optarg); break;
    case 'C': options->directory = optarg; break;
    case 'm': options->address_space = (uint64_t)(parse_number('m', optarg) * 1048576); break;
    case 'M': options->memory = (uint64_t)parse_number('M', optarg); break;
    case 'n': options->open_files = (uint64_t)parse_number('n', optarg); break;
    case 'c': options->cpus = parse_cpus(optarg); break;
    case 'G': add_group(&options->groups, optarg); break;
    case ':':
      snprintf(what, sizeof what, "-%c needs a value", optopt);
      refuse_usage(what);
    default:
      snprintf(what, sizeof what, "there is no option -%c", optopt);
      refuse_usage(what);
    }
  }
  if (optind >= count) refuse_usage("the attempt's directory is missing");
  const char *directory = arguments[optind++];
  if (optind < count && strcmp(arguments[optind], "--") == 0) optind++;
  if (optind >= count) refuse_usage("the command is missing");
  options->command = arguments + optind;
  return directory;
}

/// Keeps nothing of the parent's: no descriptor but standard error, no terminal, no ignored signal (an
/// ignored SIGCHLD would reap the command by itself). Returns a descriptor of /dev/null.
static int detach(void) {
  close_from(3);
  int null = open("/dev/null", O_RDWR);
  while (null >= 0 && null < 3) null = open("/dev/null", O_RDWR);  // fills what was closed of 0, 1, 2
  if (null < 0) refuse(CANNOT_WRITE, "/dev/null", strerror(errno));
  fcntl(null, F_SETFD, FD_CLOEXEC);
  dup2(null, 0);
  dup2(null, 1);
  setsid();  // refused when we lead a group already, as under a shell; or a session, as under the server
  reset_signals();
  return null;
}

static void block_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);  // taken and not acted on: we outlive who started us
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_SETMASK, &signals, NULL);
}

/// The directory, locked by us and with nothing begun in it.
static int take(const char *path) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) refuse(CANNOT_WRITE, path, strerror(errno));
  int error = records_lock(directory);
  if (error == EWOULDBLOCK) refuse(LOCK_IS_HELD, path, "another supervisor holds the lock");
  if (error) refuse(CANNOT_WRITE, path, strerror(error));
  if (records_forbid_start(directory)) {
    refuse(MAY_NOT_START, path, "the attempt is revoked, or was begun before");
  }
  return directory;
}

int main(int count, char **arguments) {
  struct attempt_options options = {.grace = 10};
  const char *path = parse(count, arguments, &options);
  int null = detach();
  block_signals();
  int directory = take(path);

  struct process self;
  struct attempt_record record;
  struct log_index logs;
  struct exit_record end = {.started_us = wall_microseconds()};
  if (!process_read(getpid(), &self)) refuse(CANNOT_WRITE, path, "/proc cannot be read");
  if (!attempt_record_make(&record, options.command[0], &self, end.started_us)) {
    refuse(CANNOT_WRITE, path, strerror(errno));
  }
  if (!log_index_open(&logs, directory) || !attempt_record_write(&record, directory)) {
    refuse(CANNOT_WRITE, path, strerror(errno));
  }
  dup2(null, 2);  // from here on exit.json says what happened
  attempt_run(&options, directory, &record, &logs, &end);

  // A full disk must not lose the outcome: the lock stays held meanwhile, so the attempt counts as alive.
  for (int tries = 0; tries < EXIT_RECORD_TRIES; tries++) {
    if (exit_record_write(&end, directory)) return SUCCESS;
    sleep(1);
  }
  return CANNOT_WRITE;
}
