// Many clients at once: what was accepted is there, once.

import Dispatch
import MartletModel
import MartletStore
import OrderedCollections
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

  /// While the writer is held, batches gather: they then share a commit.
  @Test func aBadBatchAmongGoodOnesFailsAlone() async throws {
    let bench = try await Bench()
    let queue = IngestQueue(store: bench.store, clock: bench.clock, keyLimit: 2)
    let run = try await bench.create()
    let (held, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    async let holding: Void = bench.store.write { _ in
      held.signal()
      release.wait()
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        held.wait()
        continuation.resume()
      }
    }
    let good = LogRow(sequence: 0, step: 0, time: noon, numbers: [("a", 1)], others: [])
    let gap = LogRow(sequence: 4, step: 0, time: noon, numbers: [("a", 1)], others: [])
    let wide = LogRow(sequence: 0, step: 0, time: noon, numbers: [("b", 1), ("c", 1), ("d", 1)], others: [])
    let codes = try await withThrowingTaskGroup(of: (Int, Problem.Code?).self) { group in
      for index in 0..<30 {
        group.addTask {
          let row = index % 5 == 1 ? gap : index % 5 == 3 ? wide : good
          do {
            _ = try await queue.append([row], to: run, client: "client-\(index)")
            return (index, nil)
          } catch let problem as Problem {
            return (index, problem.code)
          }
        }
      }
      release.signal()
      return try await group.reduce(into: [Int: Problem.Code?]()) { $0[$1.0] = $1.1 }
    }
    try await holding
    for index in 0..<30 {
      #expect(codes[index] == (index % 5 == 1 ? .conflict : index % 5 == 3 ? .unprocessable : .some(nil)))
    }
    let shown = try await bench.show(run)
    #expect(shown.points == 18)
    #expect(shown.metrics.map(\.name) == ["a"])
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
