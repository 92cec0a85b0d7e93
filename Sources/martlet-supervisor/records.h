/// The attempt's directory: the lock that says whether it is alive, and its records.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "process_tree.h"

/// Opens DIRECTORY/name for writing, making it when it is not there; -1 with errno.
int records_create(int directory, const char *name, int flags);

/// Takes the attempt's lock for this process's life: 0, EWOULDBLOCK when another holds it, or errno.
int records_lock(int directory);

/// Whether nothing may be started here any more: the server revoked the attempt, or it was begun before.
bool records_forbid_start(int directory);

/// The text of attempt.json. Made before the command exists, with blanks where that is noted later.
struct attempt_record {
  char *text;
  size_t length;
  off_t command;  // where the blanks begin
};

/// False with errno (out of memory, or /proc/sys/kernel/random/boot_id cannot be read).
bool attempt_record_make(struct attempt_record *record, const char *program, const struct process *supervisor,
                         int64_t started_us);

/// Writes attempt.json without the command, durably. False with errno.
bool attempt_record_write(const struct attempt_record *record, int directory);

/// Notes the command in it, or with NULL that there is none; not durably. False with errno. Allocates nothing: it may run
/// between vfork and exec.
bool attempt_record_note(const struct attempt_record *record, int directory, const struct process *command);

/// What exit.json says.
struct exit_record {
  int code;      // exit code, -1 when there is none
  int signal;    // the signal that ended the command, 0 when there is none
  int error;     // errno of the step that kept the command from starting, else 0
  char reason[192];
  bool killed;   // SIGKILL was needed, be it for a process left over
  int leftovers; // processes that the command left behind and that were asked to leave
  int64_t started_us;
  int64_t ended_us;
  double wall;   // seconds from start to end of the command
  const char *limit;           // what ended it: "time", "memory", "output"; NULL: none of these
  uint64_t peak_bytes;         // memory of the whole tree, the most that was seen
  uint64_t oom_kills;          // its processes that the kernel killed for want of memory, as far as that is counted
  uint64_t machine_oom_kills;  // where SIGKILL came from elsewhere: those of the whole machine meanwhile
  struct rusage usage;
};

/// Writes exit.json durably. False with errno.
bool exit_record_write(const struct exit_record *record, int directory);
