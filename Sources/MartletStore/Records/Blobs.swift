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
        SELECT blob.size FROM blob JOIN run_blob ON run_blob.blob_id = blob.id
        WHERE blob.hash = ? AND run_blob.run_id = ?
        """, arguments: [Data(hash), try requireRunRow(run)])
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
        SELECT hash FROM blob WHERE NOT EXISTS (SELECT 1 FROM run_blob WHERE blob_id = blob.id) LIMIT ?
        """, arguments: [limit]
    ).map(Array.init)
  }
}

extension StoreWriter {
  /// Notes that a run has a blob, whose file is in its place; again changes nothing.
  ///
  /// - Parameters:
  ///   - hash: SHA-256 of the content.
  ///   - size: in bytes.
  package func noteBlob(_ hash: [UInt8], size: Int64, run id: PublicID, now: Timestamp) throws {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    try db.execute(
      sql: "INSERT INTO blob (hash, size, created_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
      arguments: [Data(hash), size, now.microseconds])
    try db.execute(
      sql: """
        INSERT INTO run_blob (run_id, blob_id, created_at) SELECT ?, id, ? FROM blob WHERE hash = ?
        ON CONFLICT (run_id, blob_id) DO NOTHING
        """, arguments: [run, now.microseconds, Data(hash)])
  }

  /// Forgets a blob that no run has; false: a run has it again, or it is unknown.
  ///
  /// Whoever then removes the file must not let the same content be put meanwhile.
  @discardableResult
  package func forgetBlob(_ hash: [UInt8]) throws -> Bool {
    try db.execute(
      sql: """
        DELETE FROM blob WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM run_blob WHERE blob_id = blob.id)
        """, arguments: [Data(hash)])
    return db.changesCount > 0
  }
}
