// What was captured of runs' surroundings and models.

import Foundation
import GRDB
package import MartletModel

extension StoreReader {
  /// What was captured of a run's surroundings; null: nothing.
  package func environment(of run: PublicID) throws -> JSONValue {
    try Row.fetchOne(
      db,
      sql: """
        SELECT environment.body FROM run JOIN environment ON environment.id = run.environment_id WHERE run.id = ?
        """, arguments: [try requireRunRow(run)]
    )?.json("body") ?? .null
  }

  /// The layers of a run's model; nil: nobody told them.
  package func model(of run: PublicID) throws -> ModelSummary? {
    try Row.fetchOne(
      db, sql: "SELECT body FROM run_model WHERE run_id = ?", arguments: [try requireRunRow(run)]
    )
    .map { ModelSummary(stored: try $0.json("body")) }
  }
}

extension StoreWriter {
  /// What a run has of it already stays, where `environment` says nothing else.
  func addEnvironment(_ environment: RunEnvironment, to run: Int64) throws {
    let old = try Row.fetchOne(
      db,
      sql: """
        SELECT environment.body FROM run JOIN environment ON environment.id = run.environment_id WHERE run.id = ?
        """, arguments: [run])
    let known = RunEnvironment(stored: try old?.json("body") ?? [:])
    let new = known.merging(environment)
    guard old == nil || new != known else { return }
    let row = try environmentRow(new)
    try dropEnvironment(of: run)
    try db.execute(sql: "UPDATE run SET environment_id = ? WHERE id = ?", arguments: [row, run])
  }

  /// Says under what a sweep was submitted; its trials begin with that.
  package func setEnvironment(_ environment: RunEnvironment, ofSweep row: Int64) throws {
    try db.execute(
      sql: "UPDATE sweep SET environment_id = ? WHERE id = ?",
      arguments: [try environmentRow(environment), row])
  }

  private func environmentRow(_ environment: RunEnvironment) throws -> Int64 {
    let body = environment.json.text
    var digest = SHA256()
    digest.update(Array(body.utf8))
    let hash = Data(digest.finish())
    try db.execute(
      sql: "INSERT INTO environment (hash, body, hardware) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
      arguments: [hash, body, environment.hardware])
    guard
      let row = try Int64.fetchOne(db, sql: "SELECT id FROM environment WHERE hash = ?", arguments: [hash])
    else { throw Problem(.internal, "An environment was not stored.") }
    return row
  }

  /// Takes a run's environment away, and the row that holds it when nobody else has it.
  func dropEnvironment(of run: Int64) throws {
    guard
      let row = try Int64.fetchOne(db, sql: "SELECT environment_id FROM run WHERE id = ?", arguments: [run])
    else { return }
    try db.execute(sql: "UPDATE run SET environment_id = NULL WHERE id = ?", arguments: [run])
    try db.execute(
      sql: """
        DELETE FROM environment WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE environment_id = ?1)
          AND NOT EXISTS (SELECT 1 FROM sweep WHERE environment_id = ?1)
        """, arguments: [row])
  }

  func setModel(_ model: ModelSummary, of run: Int64) throws {
    try db.execute(
      sql: """
        INSERT INTO run_model (run_id, body) VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET body = excluded.body
        """, arguments: [run, model.json.text])
  }
}
