// Long logs: counted, read and searched part by part, none of them holding up others.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletTracking

/// How many are somewhere at once.
private final class Gauge: Sendable {
  private let counts = Mutex((inside: 0, most: 0))

  var inside: Int { counts.withLock(\.inside) }
  var most: Int { counts.withLock(\.most) }

  func enter() {
    counts.withLock { counts in
      counts.inside += 1
      counts.most = max(counts.most, counts.inside)
    }
  }

  func leave() { counts.withLock { $0.inside -= 1 } }
}

@Suite struct LogBoundTests {
  /// As the browser and the program read on: page after page, each with a little time.
  @Test(arguments: [false, true])
  func aSearchGoesOnWhereItsTimeWasOver(isRegex: Bool) throws {
    var dice = SeededNumbers(seed: 11)
    let written = WrittenLog()
    try written.fill(&dice, pieces: 1_200)
    let view = try written.log(spacing: 400).current(hasEnded: false)
    #expect(view.streams.allSatisfy { $0.tail.restarts.count > 2 })
    let pattern =
      try isRegex
      ? LogPattern(regex: "Needle [1-4]|5%", isCaseSensitive: true)
      : LogPattern("Needle", isCaseSensitive: true)
    for scope in LogScope.allCases {
      let whole = try view.search(pattern, scope, after: nil, limit: 1_000, bound: unhurried)
      #expect(whole.items.count > 5)
      var found: [LogMatches.Item] = []
      var (after, pages): (Int?, Int) = (nil, 0)
      while true {
        let page = try view.search(pattern, scope, after: after, limit: 3, bound: bound(looks: 4))
        found += page.items
        pages += 1
        guard let next = page.next else {
          #expect(page.isComplete)
          break
        }
        #expect(next > after ?? -1)
        after = next
      }
      #expect(found == whole.items, "\(scope)")
      #expect(pages > 2)
    }
  }

  /// Both outputs at once: what one has before the place where the time was over is not skipped.
  @Test func bothOutputsAreSearchedInStep() throws {
    let written = WrittenLog()
    for index in 0..<400 {
      try written.write("\(index) \(String(repeating: "x", count: 300)) here\n")
      try written.write("\(index) \(String(repeating: "y", count: 300)) here\n", .stderr)
    }
    let view = try written.log(spacing: 500).current(hasEnded: false)
    let page = try view.search(
      LogPattern("here", isCaseSensitive: true), .all, after: nil, limit: 1_000, bound: bound(looks: 8))
    #expect(!page.isComplete)
    #expect(page.items.map(\.line.number) == Array(0..<page.items.count))
    #expect(page.items.count > 100)
    #expect(page.next == page.items.count - 1)
  }

  @Test func aLogIsCountedInParts() throws {
    let written = WrittenLog()
    let block = String(repeating: String(repeating: "x", count: 99) + "\n", count: 12_000)
    for index in 0..<5 {
      try written.write(block)
      try written.write("error \(index)\n", .stderr)
    }
    try written.write(block, isNoted: false)
    for hasEnded in [false, true] {
      let log = written.log()
      var (parts, before) = (0, -1)
      var view: LogView?
      while view == nil {
        switch try log.advance(hasEnded: hasEnded, bound: bound(looks: 0)) {
        case .whole(let whole): view = whole
        case .part(let done, let all):
          #expect(done > before && done < all)
          (parts, before) = (parts + 1, done)
        }
      }
      #expect(parts > 3)
      let fresh = try written.log().current(hasEnded: hasEnded)
      #expect(view?.stretches == fresh.stretches)
      #expect(view?.total(.all) == 72_005)
      #expect(view?.settled(.all) == (hasEnded ? 72_005 : 60_005))
      #expect(view?.streams.map(\.times) == fresh.streams.map(\.times))
    }
  }

  @Test func whoWaitsTooLongIsToldHowFarItIs() async throws {
    let written = WrittenLog()
    try written.write(String(repeating: String(repeating: "x", count: 99) + "\n", count: 30_000))
    let log = written.log()
    let lane = Lane(places: 1)
    let refused = try await problem(.unavailable) {
      _ = try await log.current(hasEnded: false, bound: bound(looks: 0), lane: lane)
    }
    #expect(refused.message.contains("% so far"), "\(refused)")
    let view = try await log.current(hasEnded: false, bound: unhurried, lane: lane)
    #expect(view.total(.all) == 30_000)
  }

  /// Rows that are written over and over have no place in their midst where reading could begin.
  @Test func linesThatTakeLongAreReadOnWhenAskedAgain() throws {
    let written = WrittenLog()
    try written.write(String(repeating: "\r one\n\r two\u{1B}[A", count: 120_000) + "\n\nlast\n")
    let log = written.log()
    let view = try log.current(hasEnded: false)
    #expect(view.streams[0].tail.restarts.count == 1)
    func read(_ bound: LogBound) throws -> [String] {
      try log.lines(of: view, from: 0, count: 9, at: nil, .all, bound: bound).map(\.text)
    }
    var refusals = 0
    var texts: [String]?
    while texts == nil {
      do {
        texts = try read(bound(looks: 1))
      } catch let problem as Problem {
        #expect(problem.code == .unavailable)
        refusals += 1
        guard refusals < 100 else { throw problem }
      }
    }
    #expect(refusals > 2)
    #expect(try texts == written.log().texts())
  }

  /// A log that grows between two looks at its files: no record tells of bytes that are not seen yet.
  @Test func linesStandAsTheyCameWhileALogGrows() throws {
    let written = WrittenLog()
    let log = written.log()
    let isWritten = Atomic(false)
    let thread = Thread {
      for index in 0..<1_500 {
        do {
          try written.write("out \(index)\n")
          try written.write("err \(index)\n", .stderr)
        } catch { Issue.record(error) }
      }
      isWritten.store(true, ordering: .releasing)
    }
    thread.start()
    var settled: [LogStretch] = []
    while !isWritten.load(ordering: .acquiring) {
      settled = try log.current(hasEnded: false).stretches
    }
    let fresh = try written.log().current(hasEnded: false).stretches
    #expect(fresh.starts(with: settled))
    #expect(try log.current(hasEnded: false).stretches == fresh)
    #expect(fresh.count == 3_000)
  }

  @Test func aCraftedCountIsNotBelieved() throws {
    let written = WrittenLog()
    let line = String(repeating: "x", count: 99) + "\n"
    for index in 0..<4 {
      try written.write(String(repeating: line, count: 30_000))
      try written.write("error \(index)\n", .stderr)
    }
    let total = try written.log().current(hasEnded: true).total(.all)
    let path = "\(written.directory.path)/\(LogCount.fileName)"
    let saved = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    func replace(_ place: Int, _ word: Int64) throws {
      var crafted = Array(saved.dropLast(8))
      withUnsafeBytes(of: word.littleEndian) { bytes in
        for (index, byte) in bytes.enumerated() { crafted[place + index] = byte }
      }
      let sum = crafted.withUnsafeBytes { CRC32.checksum($0) }
      withUnsafeBytes(of: UInt64(sum).littleEndian) { crafted += $0 }
      try Data(crafted).write(to: URL(fileURLWithPath: path))
    }
    for place in stride(from: 8, to: saved.count - 8, by: 8) {
      for word: Int64 in [.max, .max / 3, 6_148_914_691_236_517_206, -1, 0, 1, 1 << 40] {
        try replace(place, word)
        guard LogCount.read(in: written.directory.path, spacing: 1 << 20) != nil else { continue }
        // What makes sense may be believed; nothing ends the program.
        let log = written.log()
        let view = try log.current(hasEnded: true)
        #expect(view.total(.all) <= 2 * total)
        _ = try log.lines(of: view, from: -3, count: 3, at: nil, .all, bound: unhurried)
      }
    }
  }

  @Test func noMoreAreReadAtOnceThanThereArePlaces() async throws {
    let lane = Lane(places: 2)
    let gauge = Gauge()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask {
          try await lane.run {
            gauge.enter()
            usleep(2_000)
            gauge.leave()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(gauge.inside == 0)
    #expect((1...2).contains(gauge.most))
    await #expect(throws: Problem.self) {
      try await lane.run { () throws -> Int in throw Problem(.unavailable, "It failed.") }
    }
    #expect(try await lane.run { 7 } == 7)
  }

  @Test func aSearchEndsWhenItsTimeIsOver() throws {
    let written = WrittenLog()
    try written.write("one\n")
    let over = bound(looks: 0)
    let found = try written.log().current(hasEnded: false).search(
      try LogPattern("one", isCaseSensitive: true), .all, after: nil, limit: 10, bound: over)
    #expect((found.count, found.isComplete) == (0, false))
  }
}
