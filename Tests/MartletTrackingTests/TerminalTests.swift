// Bytes to rows: as a terminal emulator shows them, however they come, wherever reading begins.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletTracking

/// Rows of a log with their styles, folded in pieces of some bytes.
func rows(_ log: [UInt8], pieces: Int = .max, from restart: RowRestart? = nil) -> [String] {
  let start = restart ?? RowRestart(row: 0, offset: 0, style: TerminalStyle())
  var fold = TerminalFold(row: start.row, offset: start.offset, style: start.style)
  var found: [String] = []
  log.withUnsafeBytes { raw in
    var place = start.offset
    while place < raw.count {
      let end = place + min(pieces, raw.count - place)
      var done: [TerminalRow] = []
      fold.take(UnsafeRawBufferPointer(rebasing: raw[place..<end])) { number, row in
        #expect(number == start.row + found.count + done.count)
        done.append(row)
      }
      found += done.map { $0.text(fold.palette) }
      place = end
    }
  }
  for number in fold.base..<max(fold.base, fold.end) {
    if let row = fold.row(number) { found.append(row.text(fold.palette)) }
  }
  return found
}

func rows(_ text: String) -> [String] { rows(Array(text.utf8)) }

@Suite struct TerminalTests {
  /// What pyte shows: scripts/terminal-corpus.py.
  private struct Corpus {
    var cases: [(log: [UInt8], rows: [String])]

    init() throws {
      let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      let json = try JSONValue.parse(
        Array(try Data(contentsOf: place.appending(path: "Fixtures/terminal.json"))))
      let screen = Int(try #require(json["screen"]?.int))
      #expect(screen == RowPosition.window)
      cases = try #require(json["cases"]?.array).map { item in
        let text = try #require(item["log"]?.string)
        let log = try #require(Data(base64Encoded: text))
        let first = Int(try #require(item["first"]?.int))
        let rows = try #require(item["rows"]?.array).compactMap(\.string)
        return (
          Array(repeating: 0x0A, count: screen) + Array(log), Array(repeating: "", count: first) + rows
        )
      }
    }
  }

  /// Without plain blanks at ends of rows, and without empty rows at the end: an emulator has none of either.
  private func trimmed(_ rows: [String]) -> [String] {
    var rows = rows.map { row in
      String(row.reversed().drop { $0 == " " }.reversed()).precomposedStringWithCanonicalMapping
    }
    while rows.last?.isEmpty == true { rows.removeLast() }
    return rows
  }

  @Test func rowsAreThoseOfATerminalEmulator() throws {
    let corpus = try Corpus()
    #expect(corpus.cases.count > 250)
    for (index, item) in corpus.cases.enumerated() {
      #expect(
        trimmed(rows(item.log)) == item.rows,
        "\(index): \(String(decoding: item.log, as: UTF8.self).debugDescription)")
    }
  }

  @Test func howTheBytesComeDoesNotMatter() throws {
    for item in try Corpus().cases {
      let whole = rows(item.log)
      for pieces in [1, 3, 7] { #expect(rows(item.log, pieces: pieces) == whole) }
    }
  }

  @Test func rowsAreCountedAsTheyAreFilled() throws {
    for item in try Corpus().cases {
      for pieces in [1, 5, Int.max] {
        var tracker = RowTracker()
        var fold = TerminalFold()
        item.log.withUnsafeBytes { raw in
          var place = 0
          while place < raw.count {
            let end = place + min(pieces, raw.count - place)
            let piece = UnsafeRawBufferPointer(rebasing: raw[place..<end])
            tracker.take(piece)
            fold.take(piece) { _, _ in }
            #expect(tracker.position == fold.position)
            #expect(tracker.end == fold.end)
            place = end
          }
        }
      }
    }
  }

  @Test func fromARestartOnRowsAreTheSame() throws {
    let cases = try Corpus().cases.map { Array($0.log.dropFirst(RowPosition.window)) }
    let ends = Array(repeating: UInt8(0x0A), count: 3)
    let log = (0..<3).flatMap { _ in cases.flatMap { $0 + ends } }
    let whole = rows(log)
    var tracker = RowTracker(spacing: 200)
    log.withUnsafeBytes { tracker.take($0) }
    #expect(tracker.restarts.count > 4)
    #expect(tracker.end == whole.count)
    for restart in tracker.restarts {
      #expect(tracker.restart(for: restart.row) == restart)
      #expect(rows(log, from: restart) == Array(whole[restart.row...]), "\(restart)")
    }
  }

  @Test func aCursorThatGoesBackLeavesNoRestartBelowIt() {
    // Rows that are written over and over: reading cannot begin among them.
    let bars = String(repeating: "a\nb\n\u{1B}[2A", count: 500)
    var tracker = RowTracker(spacing: 10)
    Array("first\n\(bars)\n\nlast\n".utf8).withUnsafeBytes { tracker.take($0) }
    #expect(tracker.restarts.count == 1)
    #expect(rows("first\n\(bars)\n\nlast\n") == ["first", "a", "b", "last"])
  }

  private static let small: [(text: String, rows: [String])] = [
    ("", []), ("\n", [""]), ("a", ["a"]), ("a\n\n", ["a", ""]), ("a\r", ["a"]),
    ("tab\tx", ["tab     x"]), ("a\u{07}\u{00}b", ["ab"]), ("\u{7F}a", ["a"]),
    // Absolute places and clearing of a screen: a log has none.
    ("a\n\u{1B}[2J\u{1B}[Hb\n", ["a", "b"]),
    // What is cut off harms one line.
    ("a\u{1B}]0;title\nb\n", ["a", "b"]), ("a\u{1B}[3\nb\n", ["a", "b"]), ("a\u{1B}Pxyz\nb", ["a", "b"]),
    ("\u{1B}[38;5;196mred\u{1B}[49;39m.", ["\u{1B}[38;5;196mred\u{1B}[0m."]),
    ("\u{1B}[1mon\u{1B}[48;2;1;2;3mit", ["\u{1B}[1mon\u{1B}[0;1;48;2;1;2;3mit\u{1B}[0m"]),
    ("\u{1B}[38;5;9mx", ["\u{1B}[91mx\u{1B}[0m"]), ("\u{1B}[38;5;300mx", ["x"]),
  ]

  @Test func smallThings() {
    for item in Self.small { #expect(rows(item.text) == item.rows, "\(item.text.debugDescription)") }
    let far = rows("\u{1B}[999999999999999999999Cx\u{1B}[99999999999A\u{1B}[0Ay")
    let plain = far.joined(separator: "|").filter { $0 != " " }
    #expect(plain == "xy")
  }

  @Test func aLineIsNotLongerThanItsLimit() {
    let log = Array(repeating: UInt8(ascii: "x"), count: TerminalRow.limit + 1_000) + Array("\nnext".utf8)
    let found = rows(log)
    #expect(found.map(\.utf8.count) == [TerminalRow.limit, 4])
  }

  @Test(arguments: 1...20)
  func anyBytesAreFine(seed: UInt64) {
    var dice = SeededNumbers(seed: seed)
    let odd: [UInt8] = [0x1B, 0x5B, 0x0A, 0x0D, 0x08, 0x09, 0x3B, 0x6D, 0x41, 0x4B, 0x31, 0xE2, 0x9F, 0xF0]
    let log = (0..<4_000).map { _ in
      Bool.random(using: &dice)
        ? odd.randomElement(using: &dice) ?? 0 : UInt8.random(in: 0...255, using: &dice)
    }
    let whole = rows(log)
    #expect(rows(log, pieces: 1) == whole)
    var tracker = RowTracker(spacing: 200)
    log.withUnsafeBytes { tracker.take($0) }
    #expect(tracker.end == whole.count)
    for restart in tracker.restarts { #expect(rows(log, from: restart) == Array(whole[restart.row...])) }
  }

  /// What asks for much with a few bytes: each of these took as long as the row, a million times.
  @Test func longRowsAreNotBlankedAndShifted() {
    let wide = String(repeating: "a", count: TerminalRow.wide)
    #expect(rows("\(wide)\u{1B}[1K") == [String(repeating: " ", count: TerminalRow.wide)])
    let longer = wide + "b"
    for sequence in ["1K", "5G\u{1B}[9X", "5G\u{1B}[P", "5G\u{1B}[@"] {
      #expect(rows("\(longer)\u{1B}[\(sequence)") == [longer])
    }
    #expect(rows("\(longer)\u{1B}[2K") == [""])
    let many = String(repeating: "\u{1B}[1K\u{1B}[9X", count: 100_000)
    let row = String(repeating: "a", count: TerminalRow.limit)
    #expect(rows("\(row)\u{1B}[9G\(many)") == [row])
  }

  @Test func rowsDoNotGrowBeyondATerminalWithoutText() {
    #expect(rows("a\r" + String(repeating: "\u{1B}[4096@", count: 256))[0].count == TerminalRow.wide)
    // Far to the right, and the row before it is taken away: what is written there fills no row again.
    let row = String(repeating: "a", count: 10_000)
    #expect(rows("\(row)\u{1B}[2Kx")[0].count == TerminalRow.wide + 1)
    #expect(rows("\n\(row)\u{1B}[Ax\n").map(\.count) == [TerminalRow.wide + 1, 10_000])
    #expect(rows(String(repeating: "\t", count: 100_000) + "x")[0].count == TerminalRow.wide + 1)
    // Where there is text, a tab goes behind it as ever.
    #expect(rows("\(row)b\tx")[0].count == 10_009)
  }

  @Test func longRowsAreHandedOnAsSoonAsTheyAreOutOfReach() {
    let line = Array(repeating: UInt8(ascii: "x"), count: TerminalRow.limit) + [0x0A]
    var fold = TerminalFold()
    var (done, largest) = (0, 0)
    for _ in 0..<150 {
      line.withUnsafeBytes { fold.take($0) { _, _ in done += 1 } }
      largest = max(largest, fold.size)
    }
    #expect(done >= 150 - RowPosition.window - 17)
    #expect(largest <= (RowPosition.window + 17) * TerminalRow.limit)
  }

  @Test func marksOfARowAreBounded() {
    let text = String(repeating: "e\u{301}", count: 20_000)
    let found = rows(text)[0].unicodeScalars
    #expect(found.count { $0 == "e" } == 20_000)
    #expect(found.count { $0 == "\u{301}" } == 1 << 14)
    // Those that were written over count no more.
    #expect(rows("\(text)\r\u{1B}[2K\(text)")[0].unicodeScalars.count { $0 == "\u{301}" } == 1 << 14)
  }
}
