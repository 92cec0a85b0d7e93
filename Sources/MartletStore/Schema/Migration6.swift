// The schema of version 6: logs of runs from outside and system metrics.

import GRDB

/// Tables of version 6.
enum Migration6 {
  static let name = "6"

  static func migrate(_ db: Database) throws {}
}
