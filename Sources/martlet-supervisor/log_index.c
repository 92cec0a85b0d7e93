/// The command's two output files and the index that says when each reached which size.
///
/// The command writes its logs itself (O_APPEND), so whoever else dies, no line is lost or late. The index
/// only adds what plain files do not hold: when a piece came. Records are 17 bytes, little endian:
/// i64 wall time in microseconds, u8 stream (1 stdout, 2 stderr), u64 size reached.
#define _GNU_SOURCE
#include "log_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "records.h"

enum { RECORD_SIZE = 17 };

// The index of a program that never falls silent shall not grow with its days: an hour of records as they come,
// then one a second, and after as many of these (ten hours) one in ten seconds.
#ifndef OFTEN_RECORDS
#define OFTEN_RECORDS 36000
#endif

/// Seconds from one record to the next.
static double pause_after(off_t end) {
  off_t records = end / RECORD_SIZE;
  return records < OFTEN_RECORDS ? 0 : records < 2 * (off_t)OFTEN_RECORDS ? 1 : 10;
}

bool log_index_open(struct log_index *index, int directory) {
  *index = (struct log_index){.file = -1, .directory = directory};
  index->logs[0] = records_create(directory, "stdout.log", O_APPEND);
  index->logs[1] = records_create(directory, "stderr.log", O_APPEND);
  return index->logs[0] >= 0 && index->logs[1] >= 0;
}

static void put_little_endian(unsigned char *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> 8 * i);
}

uint64_t log_index_update(struct log_index *index, bool is_last) {
  uint64_t total = 0;
  double now = monotonic_seconds();
  bool is_due = is_last || now >= index->next;
  for (int stream = 0; stream < 2; stream++) {
    struct stat status;
    if (fstat(index->logs[stream], &status) != 0) continue;
    uint64_t size = (uint64_t)status.st_size;
    total += size;
    if (!is_due || size == index->seen[stream]) continue;
    if (index->file < 0) index->file = records_create(index->directory, "log.idx", O_TRUNC);
    unsigned char record[RECORD_SIZE];
    put_little_endian(record, (uint64_t)wall_microseconds());
    record[8] = (unsigned char)(stream + 1);
    put_little_endian(record + 9, size);
    // On a full disk a record is cut short: the next one is written over it, and says the same and more.
    if (pwrite(index->file, record, RECORD_SIZE, index->end) == RECORD_SIZE) {
      index->end += RECORD_SIZE;
      index->seen[stream] = size;
      index->next = now + pause_after(index->end);
    }
  }
  return total;
}
