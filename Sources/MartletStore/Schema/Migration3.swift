// The schema of version 3: filters, sorts and groups read: config values by path, tags, best values.

import GRDB

/// Tables of version 3.
enum Migration3 {
  static let name = "3"

  static func migrate(_ db: Database) throws {}
}
