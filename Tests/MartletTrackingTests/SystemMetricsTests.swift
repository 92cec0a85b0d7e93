// System metrics: kept apart from what runs log, read like it, and gone with their runs.

import Foundation
import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletTracking

@Suite struct SystemMetricsTests {
  @discardableResult
  private func sample(
    _ bench: Bench, _ run: PublicID, _ text: String, client: String = "sampler-1"
  ) async throws -> AppendReceipt {
    try await bench.tracking.appendSystem(
      run, client: client, body: Array(text.utf8), access: bench.access)
  }

  private func series(_ bench: Bench, _ run: PublicID, _ keys: [String]? = nil) async throws -> [Series] {
    try await bench.tracking.series(
      SeriesRequest(runs: [run], window: SeriesWindow(keys: keys), isSystem: true), access: bench.access)
  }

  /// Runs of which more samples are awaited.
  private func open(_ samples: Store) async throws -> [PublicID] {
    try await samples.read { try $0.sampledRuns(isOpen: true) }
  }

  @Test func theyAreSeriesOverMilliseconds() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let receipt = try await sample(
      bench, run,
      """
      {"seq":0,"time":1790000000000999,"values":{"cpu":10,"gpu.0/power":250.5}}
      {"seq":1,"step":1790000005000,"time":1790000005000000,"values":{"cpu":30}}
      """)
    #expect(receipt == AppendReceipt(accepted: 2, duplicates: 0, nextSequence: 2))
    let found = try await series(bench, run)
    #expect(found.map(\.key) == ["cpu", "gpu.0/power"])
    #expect(found.first?.steps == [1_790_000_000_000, 1_790_000_005_000])
    #expect(found.first?.values == [10, 30])
    #expect(try await series(bench, run, ["gpu.0/power"]).first?.values == [250.5])
    let overview = try await bench.tracking.systemOverview(run, access: bench.access).json
    #expect(overview["from"] == 1_790_000_000_000)
    #expect(overview["to"] == 1_790_000_005_000)
    let cpu = try #require(overview["metrics"]?.array?.first)
    #expect(cpu["name"] == "cpu")
    #expect(cpu["unit"] == "%")
    #expect([cpu["last"], cpu["mean"], cpu["min"], cpu["max"]].map { $0?.double } == [30, 20, 10, 30])
    #expect(overview["metrics"]?.array?.last?["unit"] == "W")
  }

  @Test func whatARunLoggedKnowsNothingOfThem() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await bench.log(run, #"{"seq":0,"step":0,"time":1,"values":{"loss":1}}"#)
    let before = try await bench.show(run)
    let recorder = Recorder()
    let subscription = bench.feed.subscribe(recorder.take)
    try await sample(bench, run, #"{"seq":0,"time":1790000000000000,"values":{"cpu":1}}"#)
    #expect(try await bench.show(run) == before)
    #expect(
      try await bench.tracking.series(
        SeriesRequest(runs: [run], keys: nil), access: bench.access
      ).map(\.key) == ["loss"])
    #expect(try await series(bench, run).map(\.key) == ["cpu"])
    let told = recorder.all.compactMap {
      if case .system(let id, let batch) = $0.event { (id, batch) } else { nil }
    }
    #expect(told.map(\.0) == [run])
    #expect(told.first?.1.numbers.map(\.name) == ["cpu"])
    subscription.cancel()
    let counts = try await bench.store.health().counts
    #expect((counts.runs, counts.projects) == (1, 1))
  }

  @Test func eachSampleCountsOnce() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let text = #"{"seq":0,"time":1790000000000000,"values":{"cpu":1}}"#
    try await sample(bench, run, text)
    #expect(
      try await sample(bench, run, text) == AppendReceipt(accepted: 0, duplicates: 1, nextSequence: 1))
    let gap = try await problem(.conflict) {
      try await sample(bench, run, #"{"seq":5,"time":1790000000000000,"values":{"cpu":1}}"#)
    }
    #expect(gap.details["next_seq"] == 1)
    #expect(try await series(bench, run).first?.values == [1])
  }

  /// What the server samples of all its runs at once: one that is refused takes nothing from the others, and is named.
  @Test func eachRunsSampleIsStoredOrNotByItself() async throws {
    let bench = try await Bench()
    let runs = [try await bench.create(), try await bench.create(), try await bench.create()]
    func samples(_ first: Int64) -> [RunSample] {
      runs.map { run in
        RunSample(
          run: run, client: "sampler-\(run)",
          batch: RowBatch(
            firstSequence: run == runs[1] ? 5 : first, steps: [first + 1], times: [first + 1],
            numbers: [RowBatch.Numbers(name: "cpu", rows: .all, values: [1])]))
      }
    }
    _ = try await bench.tracking.deleteRun(runs[2], purge: false, access: bench.access)
    for first in 0..<2 {
      let results = try await bench.tracking.appendSamples(samples(Int64(first)))
      #expect(results.map(\.run) == [runs[0], runs[1]])
      #expect(throws: Never.self) { _ = try results[0].result.get() }
      #expect(throws: Problem.self) { _ = try results[1].result.get() }
    }
    #expect(try await series(bench, runs[0]).first?.values == [1, 1])
    #expect(try await series(bench, runs[1]).isEmpty)
  }

  @Test func whatIsNoNumberIsRefused() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let refused = try await problem(.unprocessable) {
      try await sample(bench, run, #"{"seq":0,"time":1,"values":{"cpu":"much"}}"#)
    }
    #expect(refused.message.contains("'cpu'"))
    #expect(try await series(bench, run).isEmpty)
    // Nobody made a file for what was refused, or only asked for.
    #expect(!FileManager.default.fileExists(atPath: "\(bench.directory.path)/system.db"))
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.systemOverview(.random(), access: bench.access)
    }
  }

  @Test func theyStayWithATrashedRunAndGoWithAPurgedOne() async throws {
    let bench = try await Bench()
    let (run, other) = (try await bench.create(), try await bench.create())
    for id in [run, other] {
      try await sample(bench, id, #"{"seq":0,"time":1790000000000000,"values":{"cpu":1}}"#)
    }
    _ = try await bench.tracking.deleteRun(run, purge: false, access: bench.access)
    _ = try await problem(.notFound) {
      try await sample(bench, run, #"{"seq":1,"time":1790000000000000,"values":{"cpu":1}}"#)
    }
    #expect(try await series(bench, run).first?.values == [1])
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    _ = try await problem(.notFound) { _ = try await series(bench, run) }
    let samples = try await bench.tracking.samples.storeToWrite()
    try await eventually("its rows are gone") {
      try await bench.tracking.clean(by: bench.access.principal)
      return try await samples.health().counts.runs == 1
    }
    #expect(try await series(bench, other).first?.values == [1])
    await bench.tracking.closeSamples()
  }

  @Test func anEndedRunsSamplesAreLaidIntoChunks() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    for index in 0..<3 {
      try await sample(
        bench, run, #"{"seq":\#(index),"time":179000000000000\#(index),"values":{"cpu":\#(index)}}"#)
    }
    let samples = try await bench.tracking.samples.storeToWrite()
    #expect(try await open(samples) == [run])
    _ = try await bench.tracking.finishRun(
      run, RunFinish(state: .finished, exitCode: nil, reason: nil), access: bench.access)
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(try await open(samples).isEmpty)
    // It goes on, and more is awaited again.
    var patch = RunPatch()
    patch.state = .running
    _ = try await bench.tracking.patchRun(run, patch, access: bench.access)
    try await sample(bench, run, #"{"seq":3,"time":1790000000000003,"values":{"cpu":3}}"#)
    #expect(try await open(samples) == [run])
    // Four samples within a millisecond are one: the last stands.
    #expect(try await series(bench, run).first?.values == [3])
    await bench.tracking.closeSamples()
  }
}
