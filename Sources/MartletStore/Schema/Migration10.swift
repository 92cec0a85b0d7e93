// The schema of version 10: how trials were chosen and judged.

import GRDB

/// Columns of version 10.
enum Migration10 {
  static let name = "10"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: sweeps)
    try db.execute(sql: trials)
  }

  /// `search` is JSON: what was asked of its search beside the metric and the method. `imported` is JSON: trials of
  /// elsewhere that it learned from at its beginning. `source_override` is the text of the file after people changed the
  /// space of a paused sweep; `source` stays what was submitted.
  private static let sweeps = """
    ALTER TABLE sweep ADD COLUMN search TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE sweep ADD COLUMN imported TEXT;
    ALTER TABLE sweep ADD COLUMN source_override TEXT;
    ALTER TABLE sweep ADD COLUMN space_version INTEGER NOT NULL DEFAULT 1;
    """

  /// All are JSON. `origin`: its place in the search, what the method noted, whose checkpoint it began with; NULL for
  /// trials from before, whose parameters say enough. `measured`: further objectives and constraints. `verdict`: why it
  /// was asked to leave while it runs.
  private static let trials = """
    ALTER TABLE trial ADD COLUMN origin TEXT;
    ALTER TABLE trial ADD COLUMN measured TEXT;
    ALTER TABLE trial ADD COLUMN verdict TEXT;
    """
}
