/// The attempt's directory: the lock that says whether it is alive, and its records.
///
/// A record comes in one step (temporary name, rename): whoever reads one reads it whole. What is added to it later is
/// written over blanks that were left for it: making files is most of what an attempt costs the kernel.
/// All is reached through the directory's descriptor, never by its path: it may be moved meanwhile.
#define _GNU_SOURCE
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
  BOOT_ID_LENGTH = 36,
  COMMAND_ROOM = 64,   // the longest is 58 bytes
  LONGEST_ESCAPE = 6,  // bytes of JSON for one byte of text: \u001f
  LOCK_TRIES = 100,
  LOCK_PAUSE_US = 20000,
};

int records_create(int directory, const char *name, int flags) {
  return openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

int records_lock(int directory) {
  int lock = records_create(directory, "lock", 0);
  if (lock < 0) return errno;
  // A server that only asks whether we live holds the lock for an instant, so one refusal says nothing.
  for (int tries = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; tries++) {
    if (errno != EWOULDBLOCK || tries == LOCK_TRIES) return errno;
    usleep(LOCK_PAUSE_US);
  }
  return 0;  // the descriptor stays open: it is the lock
}

bool records_forbid_start(int directory) {
  static const char *const signs[] = {"revoked", "attempt.json", "exit.json"};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
    // Anything but a plain "there is no such file" is a reason to keep away, too.
    if (faccessat(directory, signs[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) return true;
  }
  return false;
}

// MARK: - Writing

static bool write_all(int file, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text += written;
    length -= (size_t)written;
  }
  return true;
}

/// Durable, its name included, when it returns true.
static bool replace_file(int directory, const char *name, const char *text, size_t length) {
  char temporary[32];
  snprintf(temporary, sizeof temporary, "%s.tmp", name);
  int file = records_create(directory, temporary, O_TRUNC);
  if (file < 0) return false;
  bool written = write_all(file, text, length) && fsync(file) == 0;
  int error = errno;
  close(file);
  errno = error;
  if (!written || renameat(directory, temporary, directory, name) != 0) return false;
  return fsync(directory) == 0;
}

// MARK: - JSON

/// Bytes of the well-formed UTF-8 sequence at `text`, 0 when there is none (Unicode 15, table 3-7).
static size_t utf8_length(const unsigned char *text) {
  unsigned char lead = text[0], low = 0x80, high = 0xbf;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead == 0xe0) low = 0xa0;   // shorter forms exist
  if (lead == 0xed) high = 0x9f;  // surrogates
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;  // above U+10FFFF
  if (text[1] < low || text[1] > high) return 0;
  size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (size_t i = 2; i < length; i++) {
    if (text[i] < 0x80 || text[i] > 0xbf) return 0;  // the end of the text, a zero, is refused here as well
  }
  return length;
}

/// Writes `text` as the inside of a JSON string, U+FFFD for what is no UTF-8, and returns the length.
/// `out` has room for LONGEST_ESCAPE bytes a byte and a final zero.
static size_t json_escape(char *out, const char *text) {
  char *end = out;
  for (const unsigned char *next = (const unsigned char *)text; *next;) {
    size_t length = utf8_length(next);
    if (length == 0) {
      end = stpcpy(end, "\xef\xbf\xbd");
      next++;
    } else if (*next == '"' || *next == '\\') {
      *end++ = '\\';
      *end++ = (char)*next++;
    } else if (*next < 0x20 || *next == 0x7f) {
      end += sprintf(end, "\\u%04x", *next++);
    } else {
      memcpy(end, next, length);
      end += length;
      next += length;
    }
  }
  *end = 0;
  return (size_t)(end - out);
}

static bool read_boot_id(char boot_id[BOOT_ID_LENGTH + 1]) {
  int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t length = read(file, boot_id, BOOT_ID_LENGTH);
  close(file);
  boot_id[BOOT_ID_LENGTH] = 0;
  return length == BOOT_ID_LENGTH;
}

// MARK: - attempt.json

bool attempt_record_make(struct attempt_record *record, const char *program, const struct process *supervisor,
                         int64_t started_us) {
  char boot_id[BOOT_ID_LENGTH + 1];
  if (!read_boot_id(boot_id)) return false;
  record->text = malloc(LONGEST_ESCAPE * strlen(program) + 512);
  if (!record->text) return false;
  char *end = record->text;
  end += sprintf(end, "{\"boot_id\":\"%s\",\"started_us\":%" PRId64, boot_id, started_us);
  end += sprintf(end, ",\"supervisor\":{\"pid\":%d,\"start\":%llu}", supervisor->pid, supervisor->start);
  end += sprintf(end, ",\"program\":\"");
  end += json_escape(end, program);
  *end++ = '"';
  record->command = end - record->text;
  memset(end, ' ', COMMAND_ROOM);
  end = stpcpy(end + COMMAND_ROOM, "}\n");
  record->length = (size_t)(end - record->text);
  return true;
}

bool attempt_record_write(const struct attempt_record *record, int directory) {
  return replace_file(directory, "attempt.json", record->text, record->length);
}

bool attempt_record_note(const struct attempt_record *record, int directory, const struct process *command) {
  char text[COMMAND_ROOM + 1] = "";
  if (command) {
    snprintf(text, sizeof text, ",\"command\":{\"pid\":%d,\"start\":%llu}", command->pid, command->start);
  }
  size_t length = strlen(text);
  memset(text + length, ' ', COMMAND_ROOM - length);
  int file = records_create(directory, "attempt.json", 0);
  if (file < 0) return false;
  // One small piece: whoever reads meanwhile reads it before or after.
  bool written = pwrite(file, text, COMMAND_ROOM, record->command) == COMMAND_ROOM;
  int error = errno;
  close(file);
  errno = error;
  return written;
}

// MARK: - exit.json

bool exit_record_write(const struct exit_record *record, int directory) {
  char reason[LONGEST_ESCAPE * sizeof record->reason + 1], text[sizeof reason + 512];
  json_escape(reason, record->reason);
  const char *limit = record->limit ? record->limit : "null", *quote = record->limit ? "\"" : "";
  const struct timeval *user = &record->usage.ru_utime, *system = &record->usage.ru_stime;
  int length = snprintf(text, sizeof text,
                        "{\"code\":%d,\"signal\":%d,\"errno\":%d,\"reason\":\"%s\""
                        ",\"killed\":%s,\"leftovers\":%d"
                        ",\"started_us\":%" PRId64 ",\"ended_us\":%" PRId64 ",\"wall\":%.6f"
                        ",\"utime\":%ld.%06ld,\"stime\":%ld.%06ld,\"maxrss_kb\":%ld"
                        ",\"limit\":%s%s%s,\"peak_bytes\":%" PRIu64
                        ",\"oom_kills\":%" PRIu64 ",\"machine_oom_kills\":%" PRIu64 "}\n",
                        record->code, record->signal, record->error, reason,
                        record->killed ? "true" : "false", record->leftovers,
                        record->started_us, record->ended_us, record->wall,
                        (long)user->tv_sec, (long)user->tv_usec, (long)system->tv_sec, (long)system->tv_usec,
                        record->usage.ru_maxrss, quote, limit, quote, record->peak_bytes, record->oom_kills,
                        record->machine_oom_kills);
  return replace_file(directory, "exit.json", text, (size_t)length);
}
