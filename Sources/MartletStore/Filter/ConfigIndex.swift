// Configurations and summaries laid out by path, as filters read them.

import GRDB
import MartletModel

/// What `config_key.space` tells apart.
enum ConfigSpace: Int64 {
  case config = 0
  case summary = 1
}

extension StoreReader {
  /// Nil: no run has, or ever had, this name.
  func configKey(_ space: ConfigSpace, _ path: String) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM config_key WHERE space = ? AND path = ?"),
      arguments: [space.rawValue, path])
  }
}

extension StoreWriter {
  private func madeConfigKey(_ space: ConfigSpace, _ path: String) throws -> Int64 {
    if let key = try configKey(space, path) { return key }
    try db.execute(
      sql: "INSERT INTO config_key (space, path) VALUES (?, ?)", arguments: [space.rawValue, path])
    return db.lastInsertedRowID
  }

  /// Lays out what a run's configuration is from now on. Only what differs is written: programs add to large
  /// configurations value by value, and all points of all runs wait for the same writer.
  func indexConfig(_ config: JSONValue, of run: Int64) throws {
    var old = try indexedConfig(of: run)
    for (path, value) in ConfigLeaves.leaves(of: config) {
      guard let known = old.removeValue(forKey: path) else {
        try setIndexed(value, try madeConfigKey(.config, path), of: run)
        continue
      }
      if known.value != value.stored { try setIndexed(value, known.key, of: run) }
    }
    for gone in old.values { try removeIndexed(gone.key, of: run) }
  }

  /// What is laid out of a run's configuration, by path.
  private func indexedConfig(of run: Int64) throws -> [String: (key: Int64, value: DatabaseValue)] {
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT path, key_id, value FROM config_value JOIN config_key ON config_key.id = key_id
          WHERE run_id = ? AND space = ?
          """), arguments: [run, ConfigSpace.config.rawValue])
    var found: [String: (key: Int64, value: DatabaseValue)] = [:]
    while let row = try rows.next() { found[row[0]] = (row[1], row[2]) }
    return found
  }

  /// Lays out one value that was set in a run's summary; nil takes it away.
  func indexSummary(_ name: String, _ value: JSONValue?, of run: Int64) throws {
    let key = try madeConfigKey(.summary, name)
    guard let value else { return try removeIndexed(key, of: run) }
    try setIndexed(ConfigLeaves.scalar(value), key, of: run)
  }

  private func setIndexed(_ value: FilterScalar, _ key: Int64, of run: Int64) throws {
    try db.executeCached(
      sql: """
        INSERT INTO config_value (run_id, key_id, value) VALUES (?, ?, ?)
        ON CONFLICT (run_id, key_id) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value
        """, arguments: [run, key, value.stored])
  }

  private func removeIndexed(_ key: Int64, of run: Int64) throws {
    try db.executeCached(
      sql: "DELETE FROM config_value WHERE run_id = ? AND key_id = ?", arguments: [run, key])
  }
}
