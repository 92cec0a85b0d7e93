// The schema of version 7: texts that runs are found by are kept in normalization form C.

import GRDB
import MartletModel

/// Nothing in the tables is new. Filters compare bytes, and their texts are in form C; names that came otherwise, as some
/// file systems write them, were never found.
enum Migration7 {
  static let name = "7"

  static func migrate(_ db: Database) throws {
    for column in ["name", "notes", "group_name", "job_type", "host"] {
      try normalize("run", column, db) { row in (row[1] as String).inNormalForm }
    }
    try normalize("run", "tags", db) { row in
      guard let tags = try row.strings("text") else { return nil }
      return JSONValue(StoreWriter.unique(tags.map(\.inNormalForm))).text
    }
    try normalize("sweep", "name", db) { row in (row[1] as String).inNormalForm }
    try normalize("principal", "name", db) { row in (row[1] as String).inNormalForm }
  }

  /// Goes through the texts that are not ASCII, some at a time.
  private static func normalize(
    _ table: String, _ column: String, _ db: Database, _ normal: (Row) throws -> String?
  ) throws {
    let update = try db.makeStatement(sql: "UPDATE \(table) SET \(column) = ? WHERE id = ?")
    var last = Int64.min
    while true {
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, \(column) AS text FROM \(table)
          WHERE id > ? AND length(\(column)) < length(CAST(\(column) AS BLOB)) ORDER BY id LIMIT 1000
          """, arguments: [last])
      guard let end = rows.last else { return }
      last = end[0]
      for row in rows {
        guard let text = try normal(row), !text.utf8.elementsEqual((row[1] as String).utf8) else { continue }
        try update.execute(arguments: [text, row[0] as Int64])
      }
    }
  }
}
