// What runs refer to by its content: the rows of blobs, whose bytes are files.

import Foundation
import GRDB
package import MartletModel

extension StoreReader {
  /// The size of a blob that was put for a run, in bytes; nil: the run has none of this hash.
  ///
  /// - Parameter hash: SHA-256 of the content.
  package func blob(_ hash: [UInt8], run: PublicID) throws -> Int64? {
    try Int64.fetchOne(
      db,
      sql: """
        SELECT size FROM blob WHERE hash = ?1 AND (
          EXISTS (SELECT 1 FROM run_blob WHERE run_id = ?2 AND blob_id = blob.id)
          OR EXISTS (SELECT 1 FROM sweep_file
            WHERE blob_id = blob.id AND sweep_id = (SELECT sweep_id FROM run WHERE id = ?2)))
        """, arguments: [Data(hash), try requireRunRow(run)])
  }

  /// The size of a blob that a run itself has, in bytes.
  ///
  /// - Parameters:
  ///   - isNamed: also of one that it has for its named files alone, and that goes with them.
  ///   - moment: of those that wait for a name, only what was put since then: others may be about to go.
  package func ownBlob(
    _ hash: [UInt8], run: PublicID, isNamed: Bool, since moment: Timestamp
  ) throws -> Int64? {
    try Int64.fetchOne(
      db,
      sql: """
        SELECT blob.size FROM blob JOIN run_blob ON run_blob.blob_id = blob.id
        WHERE blob.hash = ?1 AND run_blob.run_id = ?2 AND (run_blob.is_named = 0
          OR ?3 AND (run_blob.is_named = 1 OR run_blob.created_at > ?4))
        """, arguments: [Data(hash), try requireRunRow(run), isNamed, moment.microseconds])
  }

  /// Whether any run has a blob, or had one that is not forgotten yet.
  package func isBlobKnown(_ hash: [UInt8]) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM blob WHERE hash = ?)", arguments: [Data(hash)]) ?? false
  }

  /// Blobs that no run has any more; their files may go once `forgetBlob` has said so.
  package func unreferencedBlobs(limit: Int) throws -> [[UInt8]] {
    try Data.fetchAll(
      db,
      sql: """
        SELECT hash FROM blob WHERE \(Self.isUnused) LIMIT ?
        """, arguments: [limit]
    ).map(Array.init)
  }

  /// Whether bytes that were put before a moment still wait for a name.
  package func isAnyBlobUnnamed(since moment: Timestamp) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM run_blob WHERE is_named = 2 AND created_at < ?)",
      arguments: [moment.microseconds]) ?? false
  }

  static let isUnused = """
    NOT EXISTS (SELECT 1 FROM run_blob WHERE blob_id = blob.id)
      AND NOT EXISTS (SELECT 1 FROM sweep_file WHERE blob_id = blob.id)
    """
}

extension StoreWriter {
  /// Notes that a run has a blob, whose file is in its place; again changes nothing.
  ///
  /// - Parameters:
  ///   - hash: SHA-256 of the content.
  ///   - size: in bytes.
  ///   - isNamed: the run has it for the sake of a named file, with which it goes; until that comes, it waits for it.
  package func noteBlob(
    _ hash: [UInt8], size: Int64, run id: PublicID, isNamed: Bool = false, now: Timestamp
  ) throws {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    try addBlob(hash, size: size, now: now)
    try db.execute(
      sql: """
        INSERT INTO run_blob (run_id, blob_id, created_at, is_named) SELECT ?, id, ?, ? FROM blob WHERE hash = ?
        ON CONFLICT (run_id, blob_id) DO UPDATE SET is_named = min(is_named, excluded.is_named),
          created_at = CASE is_named WHEN 2 THEN excluded.created_at ELSE created_at END
        """, arguments: [run, now.microseconds, isNamed ? 2 : 0, Data(hash)])
  }

  func addBlob(_ hash: [UInt8], size: Int64, now: Timestamp) throws {
    try db.execute(
      sql: "INSERT INTO blob (hash, size, created_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
      arguments: [Data(hash), size, now.microseconds])
  }

  /// Takes bytes from their runs that were put before a moment and still wait for a name, a thousand at most.
  package func dropUnnamedBlobs(since moment: Timestamp) throws {
    try db.execute(
      sql: """
        DELETE FROM run_blob WHERE (run_id, blob_id) IN (
          SELECT run_id, blob_id FROM run_blob WHERE is_named = 2 AND created_at < ? LIMIT 1000)
        """, arguments: [moment.microseconds])
  }

  /// Forgets a blob that no run has; false: a run has it again, or it is unknown.
  ///
  /// Whoever then removes the file must not let the same content be put meanwhile.
  @discardableResult
  package func forgetBlob(_ hash: [UInt8]) throws -> Bool {
    try db.execute(
      sql: """
        DELETE FROM blob WHERE hash = ? AND \(Self.isUnused)
        """, arguments: [Data(hash)])
    return db.changesCount > 0
  }
}
