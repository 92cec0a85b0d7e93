// Ways to harm a database, in a file of its own: GRDB's operators are in the way of some expectations.

import GRDB

@testable import MartletStore

extension Bench {
  /// Makes every block of points but one unreadable.
  func damageBlocks(butAtRow kept: Int64) async throws {
    try await store.write {
      try $0.db.execute(
        sql: "UPDATE row_block SET payload = x'00' WHERE first_row <> ?", arguments: [kept])
    }
  }
}

extension Bench {
  /// Makes the numbers of every full chunk unreadable.
  func damageChunks() async throws {
    try await store.write {
      try $0.db.execute(
        sql: """
          UPDATE series_chunk SET payload = x'FF' WHERE (run_id, first_row) IN (
            SELECT run_id, first_row FROM row_chunk WHERE row_count = 4096)
          """)
    }
  }

  /// Makes rows of lower levels unreadable, but for that of the first chunk, which says where a series begins.
  func damageLevels(below level: Int, upToChunk last: Int) async throws {
    try await store.write {
      try $0.db.execute(
        sql: "UPDATE series_level SET payload = x'FF' WHERE level < ? AND first_row BETWEEN 1 AND ?",
        arguments: [level, last * 4_096])
    }
  }
}
