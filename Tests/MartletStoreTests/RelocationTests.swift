// A data directory that lies elsewhere than it did: its paths go along, all others stay.

import GRDB
import MartletModel
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct RelocationTests {
  private func run(
    _ bench: Bench, in data: String, results: String, environment: String
  ) async throws -> PublicID {
    let me = bench.me
    return try await bench.store.write { writer in
      let id = try writer.freshRunID()
      try writer.createExecutedRun(
        ExecutedRun(
          project: "digits", name: "wren", sweepRow: nil, trial: nil,
          config: ["path": .string("\(data)/runs/x")],
          command: ["true"], workdir: "\(data)/runs", directory: "\(results)/wren_\(id)",
          execution: ["environment_file": .string(environment)]), id: id, by: me, now: noon)
      _ = try writer.createAttempt(
        of: id, directory: { "\(data)/runs/\(id)/attempt-\($0)" }, by: me, now: noon)
      return id
    }
  }

  private func text(_ bench: Bench, _ column: String, of run: PublicID) async throws -> String? {
    try await bench.store.read { reader in
      try String.fetchOne(
        reader.db, sql: "SELECT \(column) FROM run WHERE public_id = ?", arguments: [run.rawValue])
    }
  }

  @Test(arguments: [("/data", "/copies/new"), ("/a \"b\"/50%_ä", "/c'd"), ("/long/way/down", "/")])
  func pathsOfTheDataDirectoryGoAlong(old: String, new: String) async throws {
    let bench = try await Bench()
    let inside = try await run(
      bench, in: old, results: "\(old)/results", environment: "\(old)/runs/x/environment.json")
    let outside = try await run(
      bench, in: old, results: "\(old)s/results", environment: "\(old)2/runs/x/environment.json")
    #expect(try await bench.store.relocate(to: new) == old)
    for id in [inside, outside] {
      let attempts = try await bench.store.read { try $0.attempts(of: id) }
      #expect(attempts.map(\.directory) == ["\(new)/runs/\(id)/attempt-1"])
      // What a program was given stays what it was given.
      #expect(try await bench.show(id).config == ["path": .string("\(old)/runs/x")])
      #expect(try await bench.show(id).workdir == "\(old)/runs")
    }
    #expect(try await text(bench, "directory", of: inside) == "\(new)/results/wren_\(inside)")
    #expect(try await text(bench, "directory", of: outside) == "\(old)s/results/wren_\(outside)")
    let settings = try await bench.store.read { [inside, outside] reader in
      try [inside, outside].map { id in
        try String.fetchOne(
          reader.db, sql: "SELECT execution FROM run WHERE public_id = ?", arguments: [id.rawValue])
      }
    }.map { try JSONValue.parse($0 ?? "")["environment_file"]?.string }
    #expect(settings == ["\(new)/runs/x/environment.json", "\(old)2/runs/x/environment.json"])
    // It lies there now: nothing is left to do.
    #expect(try await bench.store.relocate(to: new) == nil)
  }

  @Test func aStoreWithoutAttemptsHasNotMoved() async throws {
    let bench = try await Bench()
    #expect(try await bench.store.relocate(to: "/anywhere") == nil)
    // Attempts that lie in no data directory say nothing of one.
    _ = try await bench.executed()
    #expect(try await bench.store.relocate(to: "/anywhere") == nil)
  }
}
