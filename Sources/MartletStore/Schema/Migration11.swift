// The schema of version 11: attempts that agents run.

import GRDB

/// Columns of version 11.
enum Migration11 {
  static let name = "11"

  /// `agent` is JSON, who runs the attempt in the server's place: `id`, `name`, `devices`. NULL: the server does.
  static func migrate(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE attempt ADD COLUMN agent TEXT")
  }
}
