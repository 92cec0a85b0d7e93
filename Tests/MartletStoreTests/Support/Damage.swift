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
