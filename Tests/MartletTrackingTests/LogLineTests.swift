// Lines of logs: numbered once and for all, found in the midst of millions, searched.

import Foundation
import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

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

  @Test(arguments: 1...6)
  func numbersDoNotDependOnWhoCountsWhen(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    let written = WrittenLog()
    let log = written.log(spacing: 300)
    var settled: [String] = []
    for _ in 0..<8 {
      try written.fill(&dice, pieces: 40)
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
    try written.fill(&dice, pieces: 300)
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
          bound: unhurried
        ).items
      }
      #expect(try found("loss [0-9]").map(\.line.number) == [1, 2, 3, 4])
      #expect(try found("loss [0-9]", false).map(\.line.number) == [0, 1, 2, 3, 4])
      #expect(try found("loss [45]").first?.ranges == [9..<15, 17..<23])
      #expect(try found("^loss").map(\.line.number) == [1, 3, 4])
      #expect(try found("22$").first?.ranges == [5..<7])
      #expect(try found("loss [0-9]+").map(\.ranges)[0] == [0..<7])
    }
    for wrong in ["", "(", "[z-a]"] {
      #expect(throws: Problem.self) { try LogPattern(regex: wrong, isCaseSensitive: true) }
    }
  }

  @Test func whatIsFoundIsWhatIsShown() throws {
    let written = WrittenLog()
    let long = String(repeating: "z", count: TerminalRow.limit)
    try written.write("a\u{07}b\nta\tb\r\n\(long)beyond\nBeyond\n")
    for spacing in [10, 1 << 20] {
      let log = written.log(spacing: spacing)
      #expect(try log.matches("beyond", isCaseSensitive: false).items.map(\.line.number) == [3])
      let bell = try log.matches("ab").items.map(\.line.text)
      #expect(bell == ["ab"])
      let tab = try log.matches("ta", isCaseSensitive: false).items
      #expect(tab.map(\.line.text) == ["ta      b"])
      #expect(tab.first?.ranges == [0..<2])
    }
    // The same where bytes are searched as they are.
    let plain = WrittenLog()
    try plain.write("TA\tb\r\nlast ta")
    let found = try plain.log().matches("ta", isCaseSensitive: false).items
    #expect(found.map(\.line.text) == ["TA      b", "last ta"])
    #expect(found.map(\.ranges) == [[0..<2], [5..<7]])
    #expect(found.map { $0.line.time?.microseconds } == [1_010, 1_010])
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
