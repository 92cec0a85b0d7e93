// A data directory that lies elsewhere than it did: a backup that was restored, or a directory that was moved.

import GRDB
import MartletModel

extension Store {
  /// Brings the paths that are kept up to where the data directory lies now; nothing happens where they are already.
  ///
  /// Attempts are noted with whole paths, so whoever opens a copy would otherwise read, watch and stop what belongs to the
  /// original. All paths below the old directory's `runs` and `results` go along; any others stay.
  ///
  /// - Parameter data: the data directory, absolute.
  /// - Returns: where it lay before; nil: it has not moved.
  @discardableResult
  package func relocate(to data: String) async throws -> String? {
    // Newer attempts are noted where the directory lies when they begin: the newest speaks for all.
    guard let old = try await read({ try $0.dataPath() }), old != data else { return nil }
    try await write { try $0.relocate(from: old, to: data) }
    return old
  }
}

extension StoreReader {
  /// Where the data directory lay when its newest attempt was noted; nil: there is none.
  fileprivate func dataPath() throws -> String? {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT attempt.directory, attempt.number, run.public_id FROM attempt JOIN run ON run.id = attempt.run_id
        ORDER BY attempt.id DESC LIMIT 1
        """)
    guard let row else { return nil }
    let directory: String = row["directory"]
    let place = "/runs/\(row["public_id"] as String)/attempt-\(row["number"] as Int)"
    return directory.hasSuffix(place) ? String(directory.dropLast(place.count)) : nil
  }
}

extension StoreWriter {
  fileprivate func relocate(from old: String, to new: String) throws {
    for (table, column, folder) in [
      ("attempt", "directory", "/runs/"), ("run", "directory", "/results/"),
      ("sweep", "output_dir", "/results/"),
    ] {
      try db.execute(
        sql: """
          UPDATE \(table) SET \(column) = :new || substr(\(column), length(:old) + 1)
          WHERE substr(\(column), 1, length(:old || :folder)) = :old || :folder
          """, arguments: ["old": old, "new": new, "folder": folder])
    }
    // Settings of executed runs are JSON, which names the file of the submitter's environment.
    let (oldText, newText) = (Self.inJSON(old), Self.inJSON(new))
    for folder in ["/runs/", "/sweeps/"] {
      try db.execute(
        sql: "UPDATE run SET execution = replace(execution, :old, :new) WHERE instr(execution, :old) > 0",
        arguments: ["old": oldText + folder, "new": newText + folder])
    }
  }

  /// A path as it begins in JSON, with the quote before it.
  private static func inJSON(_ path: String) -> String { String(JSONValue.string(path).text.dropLast()) }
}
