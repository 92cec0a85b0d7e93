// The schema of version 8: bytes that wait for a name.

import GRDB

/// What version 8 adds.
enum Migration8 {
  static let name = "8"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: unnamed)
  }

  /// `run_blob.is_named` 2: put for the sake of a named file that has not come yet; where it never comes, the bytes go.
  /// Until now such bytes had 1 from the beginning.
  private static let unnamed = """
    CREATE INDEX run_blob_unnamed ON run_blob(created_at) WHERE is_named = 2;
    UPDATE run_blob SET is_named = 2 WHERE is_named = 1 AND NOT EXISTS (
      SELECT 1 FROM run_file WHERE run_file.run_id = run_blob.run_id AND run_file.blob_id = run_blob.blob_id);
    """
}
