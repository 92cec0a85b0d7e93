/// The command's two output files and the index that says when each reached which size.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct log_index {
  int logs[2];  // stdout.log, stderr.log: the command writes them itself
  int file;     // log.idx; -1 until there is something to note
  int directory;
  uint64_t seen[2];
  off_t end;
  double next;  // when the next record may come
};

/// Creates both logs in the attempt's directory; the index is made with its first record. False with errno when one cannot
/// be written.
bool log_index_open(struct log_index *index, int directory);

/// Notes how far both logs have come, where that changed and it is time for it, or the last; returns their size together.
uint64_t log_index_update(struct log_index *index, bool is_last);
