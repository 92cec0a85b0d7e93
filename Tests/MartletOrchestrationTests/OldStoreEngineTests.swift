// A store of an older version, opened by this one in the midst of a sweep.

import Foundation
import GRDB
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletOrchestration
@testable import MartletStore

@Suite struct OldStoreEngineTests {
  @Test func `the sweep of a store of version 9 goes on, and tries each point once`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          "open('tried', 'a').write(args['x'] + '\\n')\nlog(0, loss=float(args['x']))\nwait('go-' + args['x'])"
        ))
      let sweep = try await shop.submit(
        """
        program: train.py
        name: old
        method: grid
        max_parallel: 1
        metric: {name: loss}
        parameters: {x: {values: [3, 2, 1, 4]}}

        """)
      for number in 0..<2 {
        try await eventually("trial \(number) runs") { try shop.lines("tried").count == number + 1 }
        if number == 1 { _ = try await shop.engine.pauseSweep(sweep.id, access: shop.access) }
        try shop.write("go-\(try shop.lines("tried")[number])", "")
      }
      try await eventually("two trials have ended") {
        try await shop.trials(sweep.id).count { $0.state == .complete } == 2
      }
      let before = try await shop.trials(sweep.id)
      await shop.close()
      let path = "\(shop.data)/martlet.db"
      try Self.takeBack(path)
      #expect(try Self.version(of: path) == 9)

      try await shop.open()
      try await shop.engine.start()
      #expect(try Self.version(of: path) == Store.newestVersion)
      let found = try await shop.engine.sweep(sweep.id, access: shop.access)
      #expect((found.state, found.best?.objective) == (.paused, before.compactMap(\.objective).min()))
      #expect(try await shop.trials(sweep.id).map(\.parameters) == before.map(\.parameters))
      for value in 1...4 { try shop.write("go-\(value)", "") }
      _ = try await shop.engine.resumeSweep(sweep.id, access: shop.access)
      let ended = try await shop.ended(sweep.id)
      #expect((ended.state, ended.best?.objective) == (.finished, 1))
      #expect(try shop.lines("tried").sorted() == ["1", "2", "3", "4"])
      #expect(try await shop.trials(sweep.id).map(\.attempts) == [1, 1, 1, 1])
      // What a newer version asks of an older sweep finds it as any other.
      #expect(try await shop.engine.sweep(sweep.id, access: shop.access).counts[.complete] == 4)
    }
  }

  private static func version(of path: String) throws -> Int? {
    try DatabaseQueue(path: path).read { db in
      try Int.fetchOne(db, sql: "SELECT max(CAST(identifier AS INTEGER)) FROM grdb_migrations")
    }
  }

  /// Puts a database in its place that the migrations up to 9 made, with all of its rows as far as they go into that.
  private static func takeBack(_ path: String) throws {
    let old = try DatabaseQueue(path: path + ".9")
    var migrator = DatabaseMigrator()
    let migrations: [(String, @Sendable (Database) throws -> Void)] = [
      (Migration1.name, Migration1.migrate), (Migration2.name, Migration2.migrate),
      (Migration3.name, Migration3.migrate), (Migration4.name, Migration4.migrate),
      (Migration5.name, Migration5.migrate), (Migration6.name, Migration6.migrate),
      (Migration7.name, Migration7.migrate), (Migration8.name, Migration8.migrate),
      (Migration9.name, Migration9.migrate),
    ]
    for (name, migrate) in migrations {
      migrator.registerMigration(name, foreignKeyChecks: .immediate, migrate: migrate)
    }
    try migrator.migrate(old)
    try old.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA foreign_keys = OFF")
      try db.execute(sql: "ATTACH ? AS newer", arguments: [path])
      let triggers = try Row.fetchAll(
        db, sql: "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER main.\(trigger["name"] as String)") }
      let tables = try String.fetchAll(
        db,
        sql: """
          SELECT name FROM main.sqlite_master
          WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name != 'grdb_migrations'
          """)
      for table in tables {
        let columns = try db.columns(in: table).map { "\"\($0.name)\"" }.joined(separator: ", ")
        try db.execute(sql: "DELETE FROM main.\(table)")
        try db.execute(sql: "INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM newer.\(table)")
      }
      for trigger in triggers { try db.execute(sql: trigger["sql"] as String) }
      try db.execute(sql: "DETACH newer")
    }
    try old.close()
    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.removeItem(atPath: path + suffix)
    }
    try FileManager.default.moveItem(atPath: path + ".9", toPath: path)
  }
}
