// Purges of runs that have much beside their points: gone at once, off the disk in bounded transactions.

import GRDB
import MartletModel
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletStore

private final class Told: Sendable {
  private let list = Mutex<[PublicID]>([])
  var runs: [PublicID] { list.withLock(\.self) }
  func add(_ runs: [PublicID]) { list.withLock { $0 += runs } }
}

@Suite struct PurgingTests {
  private let many = 2_500

  /// How many rows of a table a condition holds for.
  private func count(_ bench: Bench, _ table: String, _ condition: String = "1") async throws -> Int {
    try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT count(*) FROM \(table) WHERE \(condition)") ?? -1
    }
  }

  /// A run with more files, alerts, events, configuration and children than one transaction removes.
  private func crowded(_ bench: Bench) async throws -> PublicID {
    var details = RunPatch()
    details.config = .object(
      JSONObject((0..<many).map { ("key\($0)", .int(Int64($0))) }, uniquingKeysWith: { $1 }))
    let run = try await bench.run(with: details)
    let (me, many) = (bench.me, many)
    try await bench.store.write { writer in
      for number in 0..<many {
        let hash = SHA256.hash(Array("\(number)".utf8))
        try writer.noteBlob(hash, size: 1, run: run, isNamed: true, now: noon)
        try writer.setFile("f\(number)", hash, mediaType: nil, of: run, limit: many, by: me, now: noon)
        _ = try writer.raise(
          NewAlert(title: "alert \(number)", level: .info), of: run, limit: many, by: me, now: noon)
        var child = RunPatch()
        child.parent = .some(run)
        _ = try writer.createExternalRun(
          project: "digits", name: "child \(number)", child, by: me, now: noon)
      }
    }
    return run
  }

  @Test func whatARunHasGoesInManySmallTransactions() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await crowded(bench)
    let child = try await bench.store.read { try $0.runs(RunQuery(), PageRequest(limit: 1)) }.items[0]
    #expect(child.parent == run)
    #expect(try await count(bench, "alert") == many)
    let tables = [
      "run_file", "run_blob", "alert", "config_value", "run WHERE parent_id IS NOT NULL",
      "event WHERE subject = 'run' AND subject_id = (SELECT id FROM run WHERE purge IS NOT NULL)",
    ]
    func rows() async throws -> Int {
      try await bench.store.read { reader in
        try tables.reduce(0) { $0 + (try Int.fetchOne(reader.db, sql: "SELECT count(*) FROM \($1)") ?? 0) }
      }
    }
    try await bench.store.purge(run, by: bench.me, now: noon + 1)
    // For whoever asks, it and all that is its own is gone.
    #expect(try await bench.store.read { try $0.run(run) } == nil)
    #expect(try await bench.store.read { try $0.run(child.id) }?.parent == nil)
    let alerts = try await bench.store.read {
      try $0.alerts(project: nil, run: nil, after: nil, PageRequest()).items
    }
    #expect(alerts.isEmpty)
    #expect(try await bench.store.read { try $0.alerts([1, Int64(many)]) } == [])
    // Nothing hangs on it any more: a run that was nested in it may take any other in.
    let other = try await bench.run("other")
    let me = bench.me
    try await bench.store.write { try $0.editRun(other, nested(in: child.id), by: me, now: noon + 2) }

    var before = try await rows()
    #expect(before > 3 * many, "not all at once")
    var freed: Set<PublicID> = []
    while true {
      let (isMore, some) = try await bench.store.write { (try $0.purgeStep(), $0.freedRuns) }
      let now = try await rows()
      #expect(before - now <= 3 * StoreWriter.purgedAtOnce)
      before = now
      freed.formUnion(some)
      if !isMore { break }
    }
    #expect(freed.count == many - StoreWriter.purgedAtOnce, "the first were free with the purge itself")
    for table in ["run_file", "run_blob", "alert", "config_value"] {
      #expect(try await count(bench, table) == 0, "\(table)")
    }
    #expect(try await count(bench, "run", "parent_id IS NOT NULL") == 1)
    let events = try await bench.store.read { try $0.events(of: child.id, PageRequest()) }.items
    #expect(events.last?.type == "nested")
    #expect(events.last?.payload == ["from": .string(run.rawValue), "to": nil])
    #expect(try await bench.store.read { try $0.unreferencedBlobs(limit: 10_000) }.count == many)
    try await bench.endPurges()
    #expect(try await count(bench, "run", "purge IS NOT NULL") == 0)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  private func nested(in parent: PublicID) -> RunPatch {
    var patch = RunPatch()
    patch.parent = .some(parent)
    return patch
  }

  /// Watchers hear of runs that are free by what the store does by itself.
  @Test func whoeverWatchesIsToldOfWhatIsFree() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let child = try await bench.run("child", with: nested(in: run))
    let told = Told()
    bench.store.onFreed(told.add)
    let me = bench.me
    try await bench.store.write { try $0.trash(run, by: me, now: noon) }
    let gone = try await bench.store.purgeTrash(before: noon + 1, by: me, now: noon + 2)
    #expect(gone.map(\.run) == [run])
    try await bench.store.settle()
    #expect(told.runs == [child])
    #expect(try await bench.show(child).parent == nil)
  }

  @Test func theTrashIsEmptiedSomeRunsAtATime() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    var runs: [PublicID] = []
    for number in 0..<120 { runs.append(try await bench.run("run \(number)")) }
    try await bench.store.write { [runs] writer in
      for run in runs { try writer.trash(run, by: me, now: noon) }
    }
    let some = try await bench.store.purgeTrash(before: noon + 1, limit: 60, by: me, now: noon + 1)
    #expect(some.map(\.run) == Array(runs.prefix(100)), "whole transactions")
    let rest = try await bench.store.purgeTrash(before: noon + 1, limit: 60, by: me, now: noon + 1)
    #expect(rest.map(\.run) == Array(runs.suffix(20)))
  }

  // MARK: - Counts

  /// Names are counted once, not with each file; a count that was wrong after a failure would be wrong for ever.
  @Test func namesAreCountedThroughDeletionsAndFailures() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let me = bench.me
    func save(_ path: String, failing: Bool = false) async throws {
      try await bench.store.write { writer in
        let hash = SHA256.hash(Array(path.utf8))
        try writer.noteBlob(hash, size: 1, run: run, isNamed: true, now: noon)
        try writer.setFile(path, hash, mediaType: nil, of: run, limit: 3, by: me, now: noon)
        if failing { throw Problem(.internal, "It fails after all.") }
      }
    }
    for path in ["a", "b", "c"] { try await save(path) }
    let full = try await problem(.unprocessable) { try await save("d") }
    #expect(full.message.contains("3 files"))
    try await save("c")
    _ = try await bench.store.write { try $0.deleteFile("b", of: run, by: me, now: noon) }
    _ = try await problem(.internal) { try await save("e", failing: true) }
    try await save("f")
    _ = try await problem(.unprocessable) { try await save("g") }
    func raise(_ title: String) async throws {
      _ = try await bench.store.write { writer in
        try writer.raise(NewAlert(title: title, level: .info), of: run, limit: 2, by: me, now: noon)
      }
    }
    try await raise("one")
    try await raise("two")
    _ = try await problem(.conflict) { try await raise("three") }
    // As a store that is opened anew counts them.
    let again = try bench.reopened(sealing: .manual)
    _ = try await problem(.conflict) {
      _ = try await again.store.write { writer in
        try writer.raise(NewAlert(title: "three", level: .info), of: run, limit: 2, by: me, now: noon)
      }
    }
  }

  // MARK: - Moving

  @Test func whatIsMovedTogetherIsBounded() async throws {
    let bench = try await Bench(sealing: .manual)
    let (run, me) = (try await bench.run(), bench.me)
    let children = StoreWriter.movedAtOnce
    let inside = nested(in: run)
    let last = try await bench.store.write { writer in
      var last = run
      for number in 0..<children {
        last = try writer.createExternalRun(
          project: "digits", name: "child \(number)", inside, by: me, now: noon
        ).id
      }
      return last
    }
    _ = try await problem(.unprocessable) {
      _ = try await bench.store.write { try $0.moveRun(run, to: "letters", by: me, now: noon) }
    }
    #expect(try await bench.show(run).project == "digits")
    var free = RunPatch()
    free.parent = .some(nil)
    try await bench.store.write { [free] in try $0.editRun(last, free, by: me, now: noon) }
    let moved = try await bench.store.write { try $0.moveRun(run, to: "letters", by: me, now: noon) }
    #expect(moved.count == children)
    #expect(try await bench.show(last).project == "digits")
  }
}
