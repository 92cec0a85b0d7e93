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

  /// Lays out what a run's configuration is from now on. Only what differs is looked at in the database: programs add to
  /// large configurations value by value, and all points of all runs wait for the same writer.
  ///
  /// - Parameter old: the configuration that is laid out.
  func indexConfig(_ config: JSONValue, insteadOf old: JSONValue = [:], of run: Int64) throws {
    var left = Dictionary(
      ConfigLeaves.leaves(of: old).map { ($0.path, $0.value.stored) }, uniquingKeysWith: { first, _ in first }
    )
    for (path, value) in ConfigLeaves.leaves(of: config)
    where left.removeValue(forKey: path) != value.stored {
      try setIndexed(value, try madeConfigKey(.config, path), of: run)
    }
    for path in left.keys {
      if let key = try configKey(.config, path) { try removeIndexed(key, of: run) }
    }
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
