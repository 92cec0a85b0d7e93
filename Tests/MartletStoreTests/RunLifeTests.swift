// Runs that are forked, deleted, resumed and described, and what is kept beside their points.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct RunLifeTests {
  private func events(_ bench: Bench, of type: String) async throws -> [JSONValue] {
    try await bench.store.read { reader in
      try String.fetchAll(
        reader.db, sql: "SELECT payload FROM event WHERE type = ? ORDER BY id", arguments: [type]
      ).map { try JSONValue.parse($0) }
    }
  }

  // MARK: - Rewinding and forking

  @Test func aRewoundRunGoesOnFromItsStep() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let run = try await bench.run()
    try await bench.append((0..<10).map { row($0, step: $0 * 10, ["x": Double($0)]) }, to: run)
    let removed = try await bench.store.write { try $0.rewind(run, to: 45, by: me, now: noon) }
    #expect(removed == 5)
    #expect(try await bench.show(run).lastStep == 40)
    #expect(try await events(bench, of: "rewound") == [["step": 45, "rows": 5]])
    // What was sent stays counted; the next row goes on, and a missing step is one more than what is left.
    #expect(try await bench.append([row(9, ["x": 9])], to: run).duplicates == 1)
    try await bench.append([row(10, ["x": 100])], to: run)
    #expect(try await bench.series(run).first?.steps == [0, 10, 20, 30, 40, 41])
    let again = try await bench.store.write { try $0.rewind(run, to: 41, by: me, now: noon) }
    #expect(again == 0)
    #expect(try await events(bench, of: "rewound").count == 1)
    let all = try await bench.store.write { try $0.rewind(run, to: -1, by: me, now: noon) }
    #expect(all == 6)
    let empty = try await bench.show(run)
    #expect((empty.points, empty.lastStep, empty.metrics) == (0, nil, []))
    try await bench.append([row(11, ["x": 1])], to: run)
    #expect(try await bench.series(run).first?.steps == [0])
  }

  @Test func aForkHasWhatItsParentHadAndNoMore() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    var details = RunPatch()
    details.config = ["lr": 0.1]
    details.tags = ["a"]
    details.metrics = ["x": MetricDefinition(name: "x", goal: .maximize)]
    let run = try await bench.run("parent", with: details)
    let hash = [UInt8](repeating: 7, count: 32)
    try await bench.store.write { try $0.noteBlob(hash, size: 5, run: run, now: noon) }
    try await bench.append((0..<20).map { row($0, step: $0, ["x": Double($0)]) }, to: run)
    let fork = try await bench.store.write { try $0.fork(run, step: 9, name: "child", by: me, now: noon + 1) }
    try await bench.append([row(20, ["x": 20])], to: run)
    let child = try await bench.show(fork)
    #expect((child.name, child.project, child.state) == ("child", "digits", .running))
    #expect((child.forkedFrom, child.forkStep, child.points) == (run, 9, 10))
    #expect((child.config, child.tags) == (["lr": 0.1], ["a"]))
    #expect((child.metric("x")?.best, child.metric("x")?.bestStep) == (9, 9))
    #expect(try await bench.store.read { try $0.blob(hash, run: fork) } == 5)
    #expect(try await bench.append([row(0, ["x": 77])], to: fork).accepted == 1)
    #expect(try await bench.series(fork).first?.steps == Array(0...10))
    #expect(try await bench.series(run).first?.count == 21)
    #expect(child.json["forked_from"] == ["run": .string(run.rawValue), "step": 9])
    // It outlives its parent.
    try await bench.store.purge(run, by: bench.me, now: noon)
    try await bench.store.settle()
    #expect(try await bench.show(fork).forkedFrom == run)
    #expect(try await bench.series(fork).first?.count == 11)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  // MARK: - The trash

  @Test func theTrashIsAnotherList() async throws {
    let bench = try await Bench()
    let me = bench.me
    let (kept, gone) = (try await bench.run("kept"), try await bench.run("gone"))
    try await bench.append([row(0, ["x": 1])], to: gone)
    for _ in 0..<2 { try await bench.store.write { try $0.trash(gone, by: me, now: noon + 5) } }
    func list(deleted: Bool) async throws -> [PublicID] {
      var query = RunQuery(project: "digits")
      query.deleted = deleted
      let asked = query
      return try await bench.store.read { try $0.runs(asked, PageRequest()) }.items.map(\.id)
    }
    #expect(try await list(deleted: false) == [kept])
    #expect(try await list(deleted: true) == [gone])
    #expect(try await bench.store.read { try $0.project("digits") }?.runs == 1)
    #expect(try await bench.show(gone).deletedAt == noon + 5)
    _ = try await problem(.notFound) { try await bench.append([row(1, ["x": 1])], to: gone) }
    _ = try await problem(.notFound) {
      _ = try await bench.store.write { try $0.rewind(gone, to: 0, by: me, now: noon) }
    }
    #expect(try await bench.series(gone).count == 1)
    try await bench.store.write { try $0.restore(gone, by: me, now: noon + 6) }
    #expect(try await list(deleted: false) == [gone, kept])
    #expect(try await bench.append([row(1, ["x": 1])], to: gone).accepted == 1)
    #expect(try await events(bench, of: "trashed").count == 1)
    #expect(try await events(bench, of: "restored").count == 1)
  }

  @Test func oldTrashGoes() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    var runs: [PublicID] = []
    for index in 0..<3 {
      let run = try await bench.run("run-\(index)")
      runs.append(run)
      try await bench.append([row(0, ["x": 1])], to: run)
      if index > 0 {
        try await bench.store.write { try $0.trash(run, by: me, now: noon + Double(index)) }
      }
    }
    #expect(try await bench.store.read { try !$0.isTrashOlder(than: noon + 1) })
    #expect(try await bench.store.purgeTrash(before: noon + 2, by: me, now: noon + 9).map(\.run) == [runs[1]])
    #expect(try await bench.store.purgeTrash(before: noon + 2, by: me, now: noon + 9).isEmpty)
    #expect(try await events(bench, of: "purged") == [["run": .string(runs[1].rawValue)]])
    // As long as its directory may be there, the run's row is.
    try await bench.endPurges()
    try await bench.store.settle()
    #expect(try await bench.store.read { try $0.purgedRuns(all: false) } == [runs[1]])
    try await bench.endPurges()
    #expect(try await bench.store.read { try $0.purgedRuns(all: true) } == [])
    let left = try await bench.store.read {
      try String.fetchAll($0.db, sql: "SELECT public_id FROM run ORDER BY id")
    }
    #expect(left == [runs[0].rawValue, runs[2].rawValue])
  }

  @Test func whatIsExecutedIsNotDeleted() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let run = try await bench.executed()
    _ = try await problem(.conflict) {
      try await bench.store.write { try $0.trash(run, by: me, now: noon) }
    }
    _ = try await problem(.conflict) { try await bench.store.purge(run, by: bench.me, now: noon) }
    try await bench.store.write { writer in
      try writer.setAttemptState(of: run, number: 1, .starting, by: me, now: noon)
      try writer.setAttemptState(of: run, number: 1, .finished, by: me, now: noon)
    }
    try await bench.store.purge(run, by: bench.me, now: noon)
    try await bench.store.settle()
    #expect(try await bench.store.read { try $0.run(run) } == nil)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// A sweep's account of its trials stays whole: the run's row is left, and found by nobody.
  @Test func aTrialsRunLeavesItsRow() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let sweep = Sweep(
      id: .random(), project: "digits", name: "s", description: "", state: .running, method: "grid",
      objective: Objective(metric: "loss", goal: .minimize), parameters: [:], maxParallel: 1, timeout: nil,
      command: ["true"], workdir: "/", outputDirectory: "/tmp", spaceSize: nil, budget: nil, createdAt: noon,
      createdBy: "tester", seed: 1, source: "")
    let run = try await bench.store.write { writer -> PublicID in
      let row = try writer.createSweep(
        sweep, samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
      let id = try writer.freshRunID()
      try writer.createExecutedRun(
        ExecutedRun(
          project: "digits", name: "t", sweepRow: row, trial: 0, config: [:], command: ["true"], workdir: "/",
          directory: "/tmp/\(id)", execution: [:]), id: id, by: me, now: noon)
      _ = try writer.createAttempt(of: id, directory: { "/tmp/\($0)" }, by: me, now: noon)
      try writer.createTrial(ofSweep: row, number: 0, parameters: [:], run: id, by: me, now: noon)
      return id
    }
    try await bench.append([row(0, ["loss": 3]), row(1, ["loss": 1]), row(2, ["loss": 2])], to: run)
    let best = try await bench.show(run).metric("loss")
    #expect((best?.goal, best?.best, best?.bestStep) == (.minimize, 1, 1))
    try await bench.store.write { writer in
      try writer.setAttemptState(of: run, number: 1, .starting, by: me, now: noon)
      try writer.setAttemptState(of: run, number: 1, .finished, by: me, now: noon)
    }
    try await bench.store.purge(run, by: bench.me, now: noon)
    try await bench.store.settle()
    #expect(try await bench.store.read { try $0.run(run) } == nil)
    #expect(try await bench.store.read { try $0.runs(ofSweep: sweep.id) }.isEmpty)
    try await bench.endPurges()
    #expect(try await bench.store.read { try $0.purgedRuns(all: false) } == [])
    #expect(try await bench.store.read { try $0.purgedRuns(all: true) } == [run])
    #expect(try await bench.store.read { try $0.trials(of: sweep.id) }.map(\.run) == [run])
    #expect(try await bench.store.health().counts.points == 0)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  // MARK: - Names, definitions, values

  @Test func aClientsOwnNameIsItsProjects() async throws {
    let bench = try await Bench(sealing: .manual)
    let (first, second) = (try await bench.run(in: "a"), try await bench.run(in: "b"))
    try await bench.store.write { writer in
      try writer.setAlias("mine", ofRun: first)
      try writer.setAlias("mine", ofRun: second)
    }
    func named(_ project: String) async throws -> PublicID? {
      try await bench.store.read { try $0.run(alias: "mine", inProject: project) }
    }
    #expect(try await named("a") == first)
    #expect(try await named("b") == second)
    #expect(try await named("c") == nil)
    let third = try await bench.run(in: "a")
    try await bench.store.write { try $0.setAlias("mine", ofRun: third) }
    #expect(try await named("a") == third)
    try await bench.store.purge(third, by: bench.me, now: noon)
    #expect(try await named("a") == nil)
  }

  @Test func definitionsSayWhatIsBest() async throws {
    let bench = try await Bench()
    let (up, down, mute) = (
      try await bench.run("up"), try await bench.run("down"), try await bench.run("mute")
    )
    for run in [up, down, mute] {
      try await bench.append(
        [row(0, ["val/a": 2, "b": 1]), row(1, ["val/a": 8, "b": 3]), row(2, ["val/a": 5, "b": .nan])], to: run
      )
    }
    func define(_ run: PublicID, _ metrics: OrderedDictionary<String, MetricDefinition?>) async throws {
      var patch = RunPatch()
      patch.metrics = metrics
      let change = patch
      try await bench.store.write { try $0.patchRun(run, change, now: noon) }
    }
    try await define(
      up,
      [
        "val/*": MetricDefinition(name: "val/*", summary: .best, stepMetric: "epoch", goal: .maximize),
        "b": MetricDefinition(name: "b", isHidden: true),
      ])
    try await define(
      down,
      [
        "val/*": MetricDefinition(name: "val/*", goal: .maximize),
        "val/a": MetricDefinition(name: "val/a", goal: .minimize),
      ])
    let shown = try await bench.show(up)
    #expect((shown.metric("val/a")?.best, shown.metric("val/a")?.bestStep) == (8, 1))
    #expect((shown.metric("b")?.best, shown.metric("b")?.mean) == (nil, 2))
    #expect(
      shown.json["metrics"]?["val/*"]
        == ["summary": "best", "step_metric": "epoch", "goal": "maximize", "hidden": false])
    #expect(try await bench.show(down).metric("val/a")?.best == 2)
    func sorted(_ name: String, _ aggregate: RunQuery.Aggregate, descending: Bool) async throws -> [PublicID]
    {
      let query = RunQuery(order: .metric(name: name, aggregate: aggregate, descending: descending))
      return try await bench.store.read { try $0.runs(query, PageRequest()) }.items.map(\.id)
    }
    #expect(try await sorted("val/a", .best, descending: true) == [up, down, mute])
    #expect(try await sorted("val/a", .best, descending: false) == [down, up, mute])
    try await bench.append([row(3, ["b": 20])], to: down)
    #expect(try await sorted("b", .mean, descending: true) == [down, mute, up])
    try await define(up, ["val/*": MetricDefinition?.none])
    #expect(try await bench.show(up).metric("val/a")?.best == nil)
    #expect(try await bench.store.read { try $0.metricDefinitions(of: up) }.map(\.name) == ["b"])
  }

  @Test func valuesThatWereSetStandFirst() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["acc": 0.5], others: ["note": "logged"])], to: run)
    func set(_ values: JSONObject) async throws -> JSONValue? {
      var patch = RunPatch()
      patch.summary = values
      let change = patch
      try await bench.store.write { try $0.patchRun(run, change, now: noon + 9) }
      return try await bench.show(run).json["summary"]
    }
    let summary = try await set(["acc": 0.9, "note": ["a": [1, 1.0]], "own": "mine"])
    #expect(summary?["acc"]?["value"] == 0.9)
    #expect(summary?["acc"]?["last"] == 0.5)
    #expect(summary?["acc"]?["set_at"] == JSONValue(noon + 9))
    #expect(summary?["note"]?["value"] == ["a": [1, 1.0]])
    #expect(summary?["note"]?["last_step"] == 0)
    #expect(summary?["own"]?["value"] == "mine")
    let less = try await set(["acc": nil, "own": nil])
    #expect(less?["acc"]?["value"] == nil)
    #expect(less?["own"] == nil)
    #expect(less?["note"]?["value"] == ["a": [1, 1.0]])
  }

  // MARK: - Blobs

  @Test func aBlobGoesWithItsLastRun() async throws {
    let bench = try await Bench(sealing: .manual)
    let (first, second) = (try await bench.run("a"), try await bench.run("b"))
    let hash = (0..<32).map { UInt8($0) }
    try await bench.store.write { writer in
      for _ in 0..<2 { try writer.noteBlob(hash, size: 1 << 40, run: first, now: noon) }
    }
    #expect(try await bench.store.read { try $0.blob(hash, run: first) } == 1 << 40)
    #expect(try await bench.store.read { try $0.blob(hash, run: second) } == nil)
    try await bench.store.write { try $0.noteBlob(hash, size: 1 << 40, run: second, now: noon) }
    try await bench.store.purge(first, by: bench.me, now: noon)
    #expect(try await bench.store.read { try $0.unreferencedBlobs(limit: 9) } == [])
    #expect(try await bench.store.write { try $0.forgetBlob(hash) } == false)
    try await bench.store.purge(second, by: bench.me, now: noon)
    #expect(try await bench.store.read { try $0.unreferencedBlobs(limit: 9) } == [hash])
    #expect(try await bench.store.read { try $0.isBlobKnown(hash) })
    #expect(try await bench.store.write { try $0.forgetBlob(hash) })
    #expect(try await bench.store.read { try !$0.isBlobKnown(hash) })
  }
}
