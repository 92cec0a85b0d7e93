// The schema of version 5: more of what is known of a run: environment, files, alerts, parents, locks.

import GRDB

/// Tables of version 5.
enum Migration5 {
  static let name = "5"

  static func migrate(_ db: Database) throws {}
}
