// Lines of logs: numbered once and for all, found in the midst of millions, searched.

import Foundation
import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

/// A log as a supervisor writes it: pieces of two outputs, each noted when it came.
private final class WrittenLog {
  let directory = Scratch()
  private var sizes: [LogStream: Int] = [:]
  private(set) var time: Int64 = 1_000

  func write(_ text: String, _ stream: LogStream = .stdout, isNoted: Bool = true) throws {
    let path = "\(directory.path)/\(stream.rawValue).log"
    try append(Array(text.utf8), to: path)
    sizes[stream, default: 0] += text.utf8.count
    time += 10
    guard isNoted else { return }
    let record = LogIndexRecord(time: time, stream: stream, size: sizes[stream] ?? 0)
    try append(record.bytes, to: "\(directory.path)/log.idx")
  }

  private func append(_ bytes: [UInt8], to path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(fileURLWithPath: path))
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }

  func log(spacing: Int = 1 << 20) -> AttemptLog { AttemptLog(directory: directory.path, spacing: spacing) }
}

extension AttemptLog {
  fileprivate func texts(
    _ scope: LogScope = .all, from: Int = 0, count: Int = 5_000, hasEnded: Bool = false
  ) throws -> [String] {
    try lines(from: from, count: count, at: nil, scope, hasEnded: hasEnded).lines.map(\.text)
  }

  fileprivate func matches(
    _ text: String, _ scope: LogScope = .all, isCaseSensitive: Bool = true, after: Int? = nil,
    limit: Int = 100
  ) throws -> LogMatches {
    try current(hasEnded: false).search(
      try LogPattern(text, isCaseSensitive: isCaseSensitive), scope, after: after, limit: limit,
      bound: SearchBound(deadline: .now + .seconds(600)))
  }
}

@Suite struct LogLineTests {
  @Test func bothOutputsStandAsTheyCame() throws {
    let written = WrittenLog()
    let log = written.log()
    #expect(try log.texts().isEmpty)
    try written.write("one\ntwo\n")
    try written.write("bad\n", .stderr)
    try written.write("thr")
    try written.write("ee\n")
    try written.write("\u{1B}[31mred\u{1B}[0m\n", .stderr)
    try written.write("open")
    let (view, lines) = try log.lines(from: 0, count: 10, at: nil, .all, hasEnded: false)
    #expect(lines.map(\.text) == ["one", "two", "bad", "three", "\u{1B}[31mred\u{1B}[0m", "open"])
    #expect(lines.map(\.number) == Array(0..<6))
    #expect(lines.map(\.stream) == [.stdout, .stdout, .stderr, .stdout, .stderr, .stdout])
    #expect(lines.map { $0.time?.microseconds } == [1_010, 1_010, 1_020, 1_040, 1_050, 1_060])
    #expect((view.total(.all), view.settled(.all)) == (6, 5))
    #expect((view.total(.stdout), view.settled(.stdout)) == (4, 3))
    #expect(try log.texts(.stderr) == ["bad", "\u{1B}[31mred\u{1B}[0m"])
    #expect(try log.texts(from: -2) == ["\u{1B}[31mred\u{1B}[0m", "open"])
    #expect(try log.texts(from: -99).count == 6)
    #expect(try log.texts(from: 2, count: 2) == ["bad", "three"])
    #expect(try log.texts(from: 99).isEmpty)
    #expect(try log.texts(count: 0).isEmpty)
    let later = try log.lines(from: 0, count: 9, at: Timestamp(microseconds: 1_030), .all, hasEnded: false)
    #expect(later.lines.map(\.text) == ["three", "\u{1B}[31mred\u{1B}[0m", "open"])
  }

  @Test func whatIsNotNotedYetStandsBehindAllElse() throws {
    let written = WrittenLog()
    let log = written.log()
    try written.write("one\n")
    try written.write("not noted\n", isNoted: false)
    try written.write("bad\n", .stderr)
    #expect(try log.texts() == ["one", "bad", "not noted"])
    let settled = try log.current(hasEnded: false).settled(.all)
    #expect(settled == 2)
    #expect(try log.lines(from: 2, count: 1, at: nil, .all, hasEnded: false).lines.first?.time == nil)
    // Nothing more is awaited: it stays there.
    #expect(try log.texts(hasEnded: true) == ["one", "bad", "not noted"])
    #expect(try log.current(hasEnded: true).settled(.all) == 3)
    #expect(try written.log().texts(hasEnded: true) == ["one", "bad", "not noted"])
  }

  @Test func aProgressBarIsOneLineThatMoves() throws {
    let written = WrittenLog()
    let log = written.log()
    try written.write("start\n")
    for step in 1...50 {
      try written.write("\r\(step)/50", .stderr)
      #expect(try log.texts() == ["start", "\(step)/50"])
    }
    try written.write("\n", .stderr)
    try written.write("end\n")
    #expect(try log.texts() == ["start", "50/50", "end"])
  }

  /// Pieces of two outputs with bars, colours and cut lines.
  private func fill(_ written: WrittenLog, _ dice: inout SeededNumbers, pieces: Int) throws {
    for _ in 0..<pieces {
      let stream: LogStream = Int.random(in: 0..<4, using: &dice) == 0 ? .stderr : .stdout
      let text = (0..<Int.random(in: 1...6, using: &dice)).map { _ in
        switch Int.random(in: 0..<12, using: &dice) {
        case 0: "\r\(Int.random(in: 0..<100, using: &dice))%"
        case 1: "\u{1B}[3\(Int.random(in: 0..<8, using: &dice))mstep\u{1B}[0m"
        case 2: "cut "
        case 3: "\n\u{1B}[A\rback"
        case 4: "Needle \(Int.random(in: 0..<9, using: &dice))\n"
        default: "loss \(Int.random(in: 0..<1_000, using: &dice))\n"
        }
      }.joined()
      try written.write(text, stream, isNoted: Int.random(in: 0..<10, using: &dice) > 0)
    }
  }

  @Test(arguments: 1...6)
  func numbersDoNotDependOnWhoCountsWhen(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    let written = WrittenLog()
    let log = written.log(spacing: 300)
    var settled: [String] = []
    for _ in 0..<8 {
      try fill(written, &dice, pieces: 40)
      let count = try log.current(hasEnded: false).settled(.all)
      // Rows a cursor may still go back to may change, their numbers not.
      let closed = max(0, count - 2 * RowPosition.window)
      let now = try log.texts(count: closed)
      #expect(now.prefix(settled.count).elementsEqual(settled))
      settled = now
    }
    let whole = try log.texts()
    let fresh = written.log(spacing: 100)
    #expect(try fresh.texts() == whole)
    for scope in LogScope.allCases {
      let all = try fresh.texts(scope)
      let total = try fresh.current(hasEnded: false).total(scope)
      #expect(total == all.count)
      for _ in 0..<20 {
        let from = Int.random(in: 0..<total, using: &dice)
        let count = Int.random(in: 1...40, using: &dice)
        #expect(try log.texts(scope, from: from, count: count) == Array(all[from..<min(total, from + count)]))
      }
      // A row of its stream is the line that has its number.
      let view = try log.current(hasEnded: false)
      for number in 0..<total {
        let place = try #require(view.places(number..<number + 1, scope).first)
        #expect(view.number(of: place.rows.lowerBound, in: place.stream, scope) == number)
      }
    }
  }

  @Test(arguments: 1...6)
  func searchFindsWhatIsShown(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    let written = WrittenLog()
    try fill(written, &dice, pieces: 300)
    let log = written.log(spacing: 400)
    for scope in LogScope.allCases {
      let lines = try log.lines(from: 0, count: 5_000, at: nil, scope, hasEnded: false).lines
      for text in ["Needle 3", "loss 1", "%", "tep", "nowhere"] {
        let expected = lines.filter { Self.plain($0.text).contains(text) }.map(\.number)
        let found = try log.matches(text, scope, limit: 1_000)
        #expect(found.items.map(\.line.number) == expected, "\(text) in \(scope)")
        #expect((found.count, found.isComplete) == (expected.count, true))
        #expect(found.next == nil)
        for item in found.items {
          let units = Array(item.line.text.utf16)
          #expect(!item.ranges.isEmpty)
          for range in item.ranges { #expect(Array(units[range]) == Array(text.utf16)) }
        }
      }
      // Page by page the same.
      let all = try log.matches("loss", scope, limit: 1_000).items.map(\.line.number)
      var paged: [Int] = []
      var after: Int?
      repeat {
        let page = try log.matches("loss", scope, after: after, limit: 7)
        #expect(page.count == all.count - paged.count)
        paged += page.items.map(\.line.number)
        after = page.next
      } while after != nil
      #expect(paged == all)
    }
  }

  private static func plain(_ text: String) -> String {
    text.replacing(#/\u{1B}\[[0-9;]*m/#, with: "")
  }

  @Test func searchWithoutRegardToCase() throws {
    let written = WrittenLog()
    try written.write("Loss 1\nLOSS 2\nloss 3\n\u{1B}[31mLo\u{1B}[0mss 4\nÜBER\nüber\n[\\]^_`{|}~@\n")
    let log = written.log()
    func numbers(_ text: String, _ isCaseSensitive: Bool) throws -> [Int] {
      try log.matches(text, isCaseSensitive: isCaseSensitive).items.map(\.line.number)
    }
    #expect(try numbers("loss", true) == [2])
    #expect(try numbers("LoSS", false) == [0, 1, 2, 3])
    #expect(try numbers("über", false) == [4, 5])
    #expect(try numbers("Über", true).isEmpty)
    #expect(try numbers("[\\]^_`{|}~@", false) == [6])
    #expect(try log.matches("loss", isCaseSensitive: false).items.last?.ranges == [0..<4])
    for wrong in ["", "a\nb", String(repeating: "x", count: 1_001)] {
      #expect(throws: Problem.self) { try LogPattern(wrong, isCaseSensitive: true) }
    }
  }

  @Test func searchByARegularExpression() throws {
    let written = WrittenLog()
    try written.write("Loss 1\nloss 22\r\nepoch 3: loss 4, loss 5\n")
    try written.write("\u{1B}[31mlo\u{1B}[0mss 6\n 5%\rloss 7\nno\n")
    for spacing in [10, 1 << 20] {
      let view = try written.log(spacing: spacing).current(hasEnded: false)
      func found(_ text: String, _ isCaseSensitive: Bool = true) throws -> [LogMatches.Item] {
        try view.search(
          try LogPattern(regex: text, isCaseSensitive: isCaseSensitive), .all, after: nil, limit: 100,
          bound: SearchBound(deadline: .now + .seconds(600))
        ).items
      }
      #expect(try found("loss [0-9]").map(\.line.number) == [1, 2, 3, 4])
      #expect(try found("loss [0-9]", false).map(\.line.number) == [0, 1, 2, 3, 4])
      #expect(try found("loss [45]").first?.ranges == [9..<15, 17..<23])
      #expect(try found("^loss").map(\.line.number) == [1, 3, 4])
      #expect(try found("22$").first?.ranges == [0..<7])
    }
    for wrong in ["", "(", "[z-a]"] {
      #expect(throws: Problem.self) { try LogPattern(regex: wrong, isCaseSensitive: true) }
    }
  }

  @Test func whatWasCountedIsReadAgain() throws {
    let written = WrittenLog()
    let line = String(repeating: "x", count: 99) + "\n"
    let block = String(repeating: line, count: 20_000)
    for index in 0..<6 {
      try written.write(block)
      try written.write("\u{1B}[32merror \(index)\n", .stderr)
    }
    let first = written.log()
    let total = try first.current(hasEnded: true).total(.all)
    #expect(total == 120_006)
    let path = "\(written.directory.path)/\(LogCount.fileName)"
    let saved = try #require(FileManager.default.contents(atPath: path))
    #expect(saved.count < 4_096)
    let known = try #require(LogCount.read(in: written.directory.path, spacing: 1 << 20))
    #expect(known.view.streams[0].tracker.restarts.count >= 10)
    // What follows is counted on.
    try written.write("last\n")
    let second = written.log()
    #expect(try second.texts(from: -3).suffix(2).last == "last")
    #expect(try second.current(hasEnded: false).total(.all) == total + 1)
    #expect(try second.texts(from: 20_000, count: 1) == ["\u{1B}[32merror 0\u{1B}[0m"])
    #expect(try second.texts(.stderr, from: 5).last == "\u{1B}[32merror 5\u{1B}[0m")
    #expect(
      try second.lines(from: 0, count: 1, at: nil, .stdout, hasEnded: false).lines[0].time?.microseconds
        == 1_010)
    // A damaged one is not believed.
    for place in [3, 20, saved.count / 2, saved.count - 1] {
      var damaged = saved
      damaged[place] ^= 0x40
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(LogCount.read(in: written.directory.path, spacing: 1 << 20) == nil)
    }
    try saved.prefix(saved.count - 8).write(to: URL(fileURLWithPath: path))
    #expect(LogCount.read(in: written.directory.path, spacing: 1 << 20) == nil)
    #expect(try written.log().current(hasEnded: false).total(.all) == total + 1)
  }

  @Test func anotherFileInItsPlaceIsCountedAnew() throws {
    let written = WrittenLog()
    try written.write("one\ntwo\nthree\n")
    let log = written.log()
    #expect(try log.texts().count == 3)
    try Data("x\n".utf8).write(to: URL(fileURLWithPath: "\(written.directory.path)/stdout.log"))
    #expect(try log.texts() == ["x"])
  }

  @Test func aMillionLines() throws {
    let written = WrittenLog()
    let block = (0..<1_000).map { "step \($0) loss 0.12345678 accuracy 0.87654321\n" }.joined()
    let many = String(repeating: block, count: 100)
    for _ in 0..<10 { try written.write(many) }
    try written.write("Traceback\n", .stderr)
    try written.write("the end\n")
    let log = written.log()
    #expect(try log.texts(from: -2) == ["Traceback", "the end"])
    let total = try log.current(hasEnded: false).total(.all)
    #expect(total == 1_000_002)
    #expect(try log.texts(from: 999_990, count: 1) == ["step 990 loss 0.12345678 accuracy 0.87654321"])
    let found = try log.matches("step 777 ", limit: 3)
    #expect((found.count, found.isComplete) == (1_000, true))
    #expect(found.items.map(\.line.number) == [777, 1_777, 2_777])
    #expect(try log.matches("Traceback").items.map(\.line.number) == [1_000_000])
  }

  @Test func aSearchEndsWhenItsTimeIsOver() throws {
    let written = WrittenLog()
    try written.write("one\n")
    let bound = SearchBound(deadline: .now + .seconds(600)) { true }
    let found = try written.log().current(hasEnded: false).search(
      try LogPattern("one", isCaseSensitive: true), .all, after: nil, limit: 10, bound: bound)
    #expect((found.count, found.isComplete) == (0, false))
  }

  @Test func throughTracking() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    func page(_ scope: LogScope = .all, attempt: Int? = nil) async throws -> LogLinePage {
      try await bench.tracking.logLines(
        run, scope, attempt: attempt, from: 0, count: 100, at: nil, access: bench.access)
    }
    #expect(
      try await page() == LogLinePage(attempt: 1, attempts: 1, total: 0, settled: 0, ended: false, items: []))
    try bench.directory.write(Array("one\ntwo".utf8), to: "stdout.log")
    let shown = try await page(.stdout)
    #expect(shown.items.map(\.text) == ["one", "two"])
    #expect((shown.total, shown.settled, shown.ended) == (2, 1, false))
    let found = try await bench.tracking.searchLog(
      run, LogPattern("TWO", isCaseSensitive: false), .stdout, attempt: 1, after: nil, limit: 9,
      access: bench.access)
    #expect(found.items.map(\.line.number) == [1])
    _ = try await problem(.notFound) { _ = try await page(attempt: 7) }
    let outside = try await bench.create()
    let none = try await bench.tracking.logLines(
      outside, .all, attempt: nil, from: 0, count: 9, at: nil, access: bench.access)
    #expect((none.attempt, none.attempts, none.ended) == (0, 0, true))
    _ = try await bench.tracking.appendLog(
      outside, client: "client-a", stream: .stderr, offset: 0, time: noon, piece: Array("sent\n".utf8),
      access: bench.access)
    let sent = try await bench.tracking.logLines(
      outside, .all, attempt: nil, from: 0, count: 9, at: nil, access: bench.access)
    #expect(sent.items == [LogLine(number: 0, time: noon, stream: .stderr, text: "sent")])
  }
}
