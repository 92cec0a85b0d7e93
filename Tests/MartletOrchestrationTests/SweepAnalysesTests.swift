// Analyses are made once for the same trials, and again when these have changed.

import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Synchronization
import Testing

@testable import MartletOrchestration
@testable import MartletStore

@Suite struct SweepAnalysesTests {
  private let id = PublicID(rawValue: "abcd1234")

  private func mark(_ ended: Int) -> TrialMark { TrialMark(ended: ended, lastEnd: nil, spaceVersion: 1) }

  /// Counts how often something was read and made.
  private final class Count: Sendable {
    private let value = Mutex(0)
    var now: Int { value.withLock { $0 } }

    /// What is to be done for an analysis; it holds how many were made.
    var making: @Sendable () throws -> [UInt8] {
      return {
        self.value.withLock {
          $0 += 1
          return [UInt8($0)]
        }
      }
    }
  }

  @Test func `those who ask for the same share one analysis, until a trial has ended`() async throws {
    let analyses = SweepAnalyses()
    let key = SweepAnalyses.Key(sweep: try #require(id), question: .init())
    let count = Count()
    let (three, four) = (mark(3), mark(4))
    let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<8 { group.addTask { try await analyses.answer(key, three) { count.making } } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers == Array(repeating: [1], count: 8))
    #expect(try await analyses.answer(key, four) { count.making } == [2])
    let other = SweepAnalyses.Key(sweep: key.sweep, question: .init(objective: 1))
    #expect(try await analyses.answer(other, four) { count.making } == [3])
    let charts = SweepAnalyses.Key(sweep: key.sweep, question: .init(charts: [.history]))
    #expect(try await analyses.answer(charts, four) { count.making } == [4])
    #expect(try await analyses.answer(key, four) { count.making } == [2])
  }

  @Test func `what failed is tried again, and what nobody asked for lately is forgotten`() async throws {
    let analyses = SweepAnalyses()
    let sweep = try #require(id)
    let count = Count()
    func ask(_ objective: Int) async throws -> [UInt8] {
      try await analyses.answer(
        SweepAnalyses.Key(sweep: sweep, question: .init(objective: objective)), mark(1)
      ) {
        count.making
      }
    }
    await #expect(throws: Problem.self) {
      try await analyses.answer(SweepAnalyses.Key(sweep: sweep, question: .init()), mark(1)) {
        return { throw Problem(.unprocessable, "no") }
      }
    }
    #expect(try await ask(0) == [1])
    for objective in 1..<SweepAnalyses.most { _ = try await ask(objective) }
    #expect(try await ask(0) == [1])
    _ = try await ask(SweepAnalyses.most)
    // The second was asked for longest ago.
    let made = count.now
    #expect(try await ask(0) == [1])
    #expect(try await ask(1) == [UInt8(made + 1)])
  }

  @Test func `of large answers only the newest are kept`() async throws {
    let analyses = SweepAnalyses()
    let sweep = try #require(id)
    let count = Count()
    func ask(_ objective: Int, _ size: Int) async throws -> Int {
      let making = count.making
      return try await analyses.answer(
        SweepAnalyses.Key(sweep: sweep, question: .init(objective: objective)), mark(1)
      ) {
        return { try making() + Array(repeating: 0, count: size) }
      }.count
    }
    let half = SweepAnalyses.mostBytes / 2
    for objective in 0..<2 { _ = try await ask(objective, half - 10) }
    #expect(count.now == 2)
    _ = try await ask(0, half - 10)
    #expect(count.now == 2)
    _ = try await ask(2, 100)
    _ = try await ask(0, half - 10)
    #expect(count.now == 3)
    _ = try await ask(1, half - 10)
    #expect(count.now == 4)
  }
}
