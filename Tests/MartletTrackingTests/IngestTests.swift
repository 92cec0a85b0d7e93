// Many clients at once: what was accepted is there, once.

import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletTracking

@Suite struct IngestTests {
  @Test func twentyClientsSendingEverythingTwice() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let batches = 8
    let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
      for client in 0..<20 {
        group.addTask {
          var accepted = 0
          for batch in 0..<batches {
            let lines = (0..<10).map { index in
              let sequence = batch * 10 + index
              return #"{"seq":\#(sequence),"step":\#(sequence),"values":{"loss/\#(client)":\#(sequence)}}"#
            }.joined(separator: "\n")
            async let first = bench.log(run, lines, client: "client-\(client)")
            async let second = bench.log(run, lines, client: "client-\(client)")
            let both = try await [first, second]
            #expect(both.map(\.nextSequence) == [Int64(batch + 1) * 10, Int64(batch + 1) * 10])
            #expect(both.map { $0.accepted + $0.duplicates } == [10, 10])
            accepted += both[0].accepted + both[1].accepted
          }
          return accepted
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(accepted == 20 * batches * 10)
    let shown = try await bench.show(run)
    #expect(shown.points == Int64(accepted))
    for client in 0..<20 {
      let series = try #require(try await bench.series(run, "loss/\(client)"))
      #expect(series.values == (0..<(batches * 10)).map(Double.init))
      #expect(shown.metric("loss/\(client)")?.count == Int64(batches * 10))
    }
  }

  @Test func whatWaitsIsBounded() async throws {
    let bench = try await Bench()
    let queue = IngestQueue(store: bench.store, clock: bench.clock, keyLimit: 2, byteLimit: 100)
    let run = try await bench.create()
    let batch = RowBatch(
      firstSequence: 0, steps: [0], times: [noon.microseconds],
      numbers: [RowBatch.Numbers(name: "a", rows: .all, values: [1])])
    try await holdingTheWriter(of: bench.store) { release in
      // An immediate task runs to its first wait at once; the queue is then given its batch in a moment.
      let accepted = [60, 40].map { bytes in
        Task.immediate { try await queue.append(batch, to: run, client: "client-\(bytes)", bytes: bytes) }
      }
      try await eventually("both wait") { await queue.waitingBytes == 100 }
      let isRefused = Flag()
      let further = Task {
        let refused = try await problem(.unavailable) {
          _ = try await queue.append(batch, to: run, client: "client-1", bytes: 1)
        }
        isRefused.raise()
        return refused
      }
      try await eventually("the third is refused while the others wait") { isRefused.isUp }
      // The server's own batches, read from spools, are never refused.
      let own = Task.immediate { try await queue.append(batch, to: run, client: "client-own") }
      release()
      #expect(try await further.value.hint?.contains("Send them again") == true)
      for task in accepted + [own] { #expect(try await task.value.receipt.accepted == 1) }
    }
    #expect(try await queue.append(batch, to: run, client: "client-1", bytes: 100).receipt.accepted == 1)
    #expect(await queue.waitingBytes == 0)
    #expect(try await bench.show(run).points == 4)
  }

  /// While the writer is held, batches gather: they then share a commit.
  @Test func aBadBatchAmongGoodOnesFailsAlone() async throws {
    let bench = try await Bench()
    let queue = IngestQueue(store: bench.store, clock: bench.clock, keyLimit: 2)
    let run = try await bench.create()
    let good = LogRow(sequence: 0, step: 0, time: noon, numbers: [("a", 1)], others: [])
    let gap = LogRow(sequence: 4, step: 0, time: noon, numbers: [("a", 1)], others: [])
    let wide = LogRow(sequence: 0, step: 0, time: noon, numbers: [("b", 1), ("c", 1), ("d", 1)], others: [])
    try await holdingTheWriter(of: bench.store) { release in
      let codes = try await withThrowingTaskGroup(of: (Int, Problem.Code?).self) { group in
        for index in 0..<30 {
          group.addTask {
            let row = index % 5 == 1 ? gap : index % 5 == 3 ? wide : good
            do {
              _ = try await queue.append(RowBatch([row]), to: run, client: "client-\(index)")
              return (index, nil)
            } catch let problem as Problem {
              return (index, problem.code)
            }
          }
        }
        release()
        return try await group.reduce(into: [Int: Problem.Code?]()) { $0[$1.0] = $1.1 }
      }
      for index in 0..<30 {
        #expect(codes[index] == (index % 5 == 1 ? .conflict : index % 5 == 3 ? .unprocessable : .some(nil)))
      }
    }
    let shown = try await bench.show(run)
    #expect(shown.points == 18)
    #expect(shown.metrics.map(\.name) == ["a"])
  }

  /// What comes while a commit is on its way shares the next one.
  @Test func batchesThatWaitShareACommit() async throws {
    let bench = try await Bench()
    var sizes: [Int] = []
    // Nothing tells from outside that the first commit has begun: where it had not, others share it. Again, slower.
    for pause in [50, 1_000, 10_000] where sizes.first != 1 {
      sizes = try await commits(bench, after: .milliseconds(pause))
    }
    #expect(sizes == [1, 6, 1, 1, 1])
  }

  /// How many batches were in each commit: of one, of six that came `pause` later while that one was on its way, and
  /// of three one after the other.
  private func commits(_ bench: Bench, after pause: Duration) async throws -> [Int] {
    let commits = Mutex<[Int]>([])
    let queue = IngestQueue(store: bench.store, clock: bench.clock, keyLimit: 9) { batches in
      commits.withLock { $0.append(batches.count) }
    }
    let run = try await bench.create()
    let batch = RowBatch(
      firstSequence: 0, steps: [0], times: [noon.microseconds],
      numbers: [RowBatch.Numbers(name: "a", rows: .all, values: [1])])
    func send(_ client: Int) -> Task<Void, any Error> {
      Task { _ = try await queue.append(batch, to: run, client: "client-\(client)", bytes: 10) }
    }
    try await holdingTheWriter(of: bench.store) { release in
      let first = send(0)
      try await eventually("the first waits for the writer") { await queue.waitingBytes == 10 }
      try await Task.sleep(for: pause)
      let others = (1...6).map(send)
      try await eventually("all wait") { await queue.waitingBytes == 70 }
      release()
      for task in [first] + others { try await task.value }
    }
    // All of them come again, one after the other: nobody waits for the others for ever.
    for client in 10..<13 { try await send(client).value }
    await queue.flush()
    return commits.withLock(\.self)
  }

  @Test func namesThatLookTheSameAreOneMetric() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let (composed, decomposed) = ("perte/\u{E9}", "perte/e\u{301}")
    for (index, name) in [composed, decomposed, composed].enumerated() {
      try await bench.log(run, #"{"seq": \#(index), "values": {"\#(name)": \#(index)}}"#)
    }
    // Rows that come by another way than JSON lines, such as the server's own.
    let row = LogRow(sequence: 0, step: 3, time: noon, numbers: [(decomposed, 3)], others: [])
    _ = try await bench.tracking.append(RowBatch([row]), to: run, client: "client-b")
    let shown = try await bench.show(run)
    #expect(shown.metrics.map { Array($0.name.utf8) } == [Array(composed.utf8)])
    for name in [composed, decomposed] {
      #expect(try await bench.series(run, name)?.values == [0, 1, 2, 3])
      let query = RunQuery(order: .metric(name: name, aggregate: .max, descending: true))
      let first = try await bench.tracking.runs(query, PageRequest(limit: 1), access: bench.access).items
        .first
      #expect(first?.id == run)
    }
  }

  @Test func seriesOfTooManyRunsAreRefused() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await bench.log(run, #"{"seq": 0, "values": {"loss": 1}}"#)
    let many = (0...Tracking.seriesLimit).map { _ in PublicID.random() }
    let refused = try await problem(.unprocessable) {
      _ = try await bench.tracking.series(
        SeriesRequest(runs: many, window: SeriesWindow()), access: bench.access)
    }
    #expect(refused.message.contains("1000") == true)
    // One run that is named often is one run.
    let often = SeriesRequest(runs: Array(repeating: run, count: 2_000), window: SeriesWindow())
    #expect(try await bench.tracking.series(often, access: bench.access).count == 1)
  }

  @Test func aWrongLineStoresNothing() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let refused = try await problem(.unprocessable) {
      try await bench.log(run, #"{"seq": 0, "values": {"loss": 1}}"# + "\n{}")
    }
    #expect(refused.details["line"] == 2)
    #expect(try await bench.show(run).points == 0)
    let gap = try await problem(.conflict) { try await bench.log(run, #"{"seq": 3, "values": {"loss": 1}}"#) }
    #expect(gap.details["next_seq"] == 0)
    #expect(try await bench.series(run) == nil)
  }

  @Test(arguments: [
    "", "seven77", String(repeating: "c", count: 65), "client a", "client/a", "klient-ä", "a\u{0}bcdefgh",
  ])
  func namesOfClients(client: String) async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let refused = try await problem(.unprocessable) {
      try await bench.log(run, #"{"seq": 0, "values": {}}"#, client: client)
    }
    #expect(refused.message.contains("'client'"))
    for good in ["eight__8", String(repeating: "C", count: 64)] {
      #expect(try await bench.log(run, #"{"seq": 0, "values": {}}"#, client: good).accepted == 1)
    }
  }
}
