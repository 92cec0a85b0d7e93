// Files that runs have under names of their own.

import Foundation
import GRDB
package import MartletModel

extension StoreReader {
  /// What a run has, its own names before those of its sweep: `:run` is its row.
  private static let allFiles = """
    SELECT run_file.path, run_file.media_type, run_file.created_at, blob.hash, blob.size, 1 AS is_own
    FROM run_file JOIN blob ON blob.id = run_file.blob_id WHERE run_file.run_id = :run
    UNION ALL
    SELECT sweep_file.path, sweep_file.media_type, sweep_file.created_at, blob.hash, blob.size, 0
    FROM sweep_file JOIN blob ON blob.id = sweep_file.blob_id
    WHERE sweep_file.sweep_id = (SELECT sweep_id FROM run WHERE id = :run)
      AND NOT EXISTS (SELECT 1 FROM run_file WHERE run_id = :run AND path = sweep_file.path)
    """

  /// A page of a run's files, by path.
  ///
  /// - Parameter prefix: only paths that begin so.
  package func files(of run: PublicID, prefix: String, _ page: PageRequest) throws -> Page<RunFile> {
    var after = ""
    if let cursor = page.cursor {
      guard cursor.hasPrefix("p") else { throw Cursor.wrong(cursor) }
      after = String(cursor.dropFirst())
    }
    let files = try Row.fetchAll(
      db,
      sql: """
        SELECT * FROM (\(Self.allFiles)) WHERE substr(path, 1, length(:prefix)) = :prefix AND path > :after
        ORDER BY path LIMIT :limit
        """,
      arguments: [
        "run": try requireRunRow(run), "prefix": prefix, "after": after, "limit": page.limit + 1,
      ]
    ).map(Self.file)
    let kept = Array(files.prefix(page.limit))
    return Page(items: kept, next: files.count > page.limit ? kept.last.map { "p\($0.path)" } : nil)
  }

  /// Nil: the run has no file of this name.
  package func file(_ path: String, of run: PublicID) throws -> RunFile? {
    try Row.fetchOne(
      db, sql: "SELECT * FROM (\(Self.allFiles)) WHERE path = :path",
      arguments: ["run": try requireRunRow(run), "path": path]
    ).map(Self.file)
  }

  private static func file(_ row: Row) -> RunFile {
    RunFile(
      path: row["path"], hash: hexadecimal(Array(row["hash"] as Data)), size: row["size"],
      mediaType: row["media_type"], createdAt: Timestamp(microseconds: row["created_at"]))
  }

}

extension StoreWriter {
  /// Gives a run a file under a name, in place of what had the name before.
  ///
  /// - Parameters:
  ///   - hash: SHA-256 of a blob that the run has.
  ///   - limit: names that a run may have.
  /// - Returns: whether there may be a blob now that nobody has any more.
  /// - Throws: `Problem`: `notFound`, also when the run does not have the blob, `unprocessable` beyond the limit.
  @discardableResult
  package func setFile(
    _ path: String, _ hash: [UInt8], mediaType: String?, of id: PublicID, limit: Int,
    by principal: Principal, now: Timestamp
  ) throws -> Bool {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    let blob = try Int64.fetchOne(
      db,
      sql: """
        SELECT blob.id FROM blob JOIN run_blob ON run_blob.blob_id = blob.id
        WHERE blob.hash = ? AND run_blob.run_id = ?
        """, arguments: [Data(hash), run])
    guard let blob else {
      throw Problem(
        .notFound, "Run '\(id)' has no bytes with the SHA-256 \(hexadecimal(hash)).",
        hint: "Put them first: PUT /runs/\(id)/blobs/\(hexadecimal(hash)).")
    }
    let old = try Int64.fetchOne(
      db, sql: "SELECT blob_id FROM run_file WHERE run_id = ? AND path = ?", arguments: [run, path])
    if old == nil, let known = try hot.run(id, db),
      try hot.count(\.files, in: "run_file", of: known, db) >= limit
    {
      throw Problem(
        .unprocessable, "Run '\(id)' has \(limit) files already, which is as many as a run may have.",
        hint: "Put many small files into an archive.")
    }
    try db.execute(
      sql: """
        INSERT INTO run_file (run_id, path, blob_id, media_type, created_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (run_id, path) DO UPDATE
        SET blob_id = excluded.blob_id, media_type = excluded.media_type, created_at = excluded.created_at
        """, arguments: [run, path, blob, mediaType, now.microseconds])
    try db.execute(
      sql: "UPDATE run_blob SET is_named = 1 WHERE run_id = ? AND blob_id = ? AND is_named = 2",
      arguments: [run, blob])
    if old == nil { hot.add(1, to: \.files, of: run) }
    // The same content again is no news.
    guard old != blob else { return false }
    try note(
      "fileSaved", subject: "run", row: run,
      payload: ["path": .string(path), "sha256": .string(hexadecimal(hash))], by: principal, at: now)
    return try old.map { try letGo(of: $0, run) } ?? false
  }

  /// Takes a file's name away, and its bytes where the run has them for that name alone.
  ///
  /// - Returns: whether there may be a blob now that nobody has any more.
  /// - Throws: `Problem`: `notFound`, `conflict` for a file of the run's sweep.
  @discardableResult
  package func deleteFile(
    _ path: String, of id: PublicID, by principal: Principal, now: Timestamp
  ) throws -> Bool {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    let blob = try Int64.fetchOne(
      db, sql: "SELECT blob_id FROM run_file WHERE run_id = ? AND path = ?", arguments: [run, path])
    guard let blob else {
      guard try file(path, of: id) == nil else {
        throw Problem(
          .conflict, "'\(path)' belongs to the sweep of run '\(id)' and to all of its trials.",
          hint: "It shows the code that they were started with, and stays.")
      }
      throw Problem(
        .notFound, "Run '\(id)' has no file '\(path)'.", hint: "'martlet run files \(id)' shows what it has.")
    }
    try db.execute(sql: "DELETE FROM run_file WHERE run_id = ? AND path = ?", arguments: [run, path])
    hot.add(-1, to: \.files, of: run)
    try note(
      "fileDeleted", subject: "run", row: run, payload: ["path": .string(path)], by: principal, at: now)
    return try letGo(of: blob, run)
  }

  /// The run has this blob no more, unless another name or a logged value refers to it.
  private func letGo(of blob: Int64, _ run: Int64) throws -> Bool {
    try db.execute(
      sql: """
        DELETE FROM run_blob WHERE run_id = ?1 AND blob_id = ?2 AND is_named = 1
          AND NOT EXISTS (SELECT 1 FROM run_file WHERE run_id = ?1 AND blob_id = ?2)
        """, arguments: [run, blob])
    return db.changesCount > 0
  }

  /// Gives a sweep a file that all its trials have.
  ///
  /// - Parameter size: in bytes; its bytes are in their place.
  package func setFile(
    _ path: String, _ hash: [UInt8], size: Int64, mediaType: String?, ofSweep sweep: Int64, now: Timestamp
  ) throws {
    try addBlob(hash, size: size, now: now)
    try db.execute(
      sql: """
        INSERT INTO sweep_file (sweep_id, path, blob_id, media_type, created_at)
        SELECT ?, ?, id, ?, ? FROM blob WHERE hash = ?
        ON CONFLICT (sweep_id, path) DO UPDATE SET blob_id = excluded.blob_id, media_type = excluded.media_type
        """, arguments: [sweep, path, mediaType, now.microseconds, Data(hash)])
  }
}
