// Pieces of a log: whole lines where there are, whole characters always.

import Foundation
import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct LogReadingTests {
  private func bench(_ bytes: [UInt8]?, ended: Bool = false) async throws -> (Bench, PublicID) {
    let bench = try await Bench()
    let run = try await bench.executed([.starting, .running] + (ended ? [.finished] : []))
    if let bytes { try bench.directory.write(bytes, to: "stdout.log") }
    return (bench, run)
  }

  private func read(
    _ bench: Bench, _ run: PublicID, _ offset: Int = 0, limit: Int = 65_536, stream: LogStream = .stdout
  ) async throws -> LogSlice {
    try await bench.tracking.log(
      run, stream: stream, attempt: nil, offset: offset, limit: limit, access: bench.access)
  }

  /// Reads piece by piece until nothing more comes.
  private func readAll(_ bench: Bench, _ run: PublicID, limit: Int) async throws -> [String] {
    var pieces: [String] = []
    var at = 0
    while true {
      let piece = try await read(bench, run, at, limit: limit)
      #expect(piece.offset == at)
      guard piece.nextOffset > at else { return pieces }
      pieces.append(piece.text)
      at = piece.nextOffset
    }
  }

  @Test func fromTheStart() async throws {
    let (bench, run) = try await bench(Array("one\ntwo\nthree".utf8))
    let slice = try await read(bench, run)
    // The last line is still being written.
    #expect(
      slice
        == LogSlice(
          stream: .stdout, attempt: 1, offset: 0, nextOffset: 8, size: 13, ended: false, text: "one\ntwo\n"))
    #expect(try await read(bench, run, 4, limit: 5).text == "two\n")
    #expect(try await read(bench, run, 13).text.isEmpty)
    #expect(try await read(bench, run, 99).nextOffset == 13)
    try await bench.move(run, [.finished])
    let end = try await read(bench, run)
    #expect((end.text, end.nextOffset, end.ended) == ("one\ntwo\nthree", 13, true))
  }

  @Test func countedFromTheEnd() async throws {
    let (bench, run) = try await bench(Array("one\ntwo\nthree\n".utf8))
    #expect(try await read(bench, run, -8).text == "three\n")
    #expect(try await read(bench, run, -7).text == "three\n")
    // Never a piece of a line.
    #expect(try await read(bench, run, -11).text == "two\nthree\n")
    #expect(try await read(bench, run, -12).offset == 4)
    for offset in [-14, -15, Int.min] {
      let whole = try await read(bench, run, offset)
      #expect((whole.offset, whole.text) == (0, "one\ntwo\nthree\n"))
    }
  }

  @Test func piecesJoinToTheWholeLog() async throws {
    let lines = (0..<12).map { String(repeating: "\($0 % 10)", count: $0 * 7 % 23) + "é😀\n" }
    for ended in [false, true] {
      let (bench, run) = try await bench(Array(lines.joined().utf8), ended: ended)
      for limit in [1, 4, 17, 64, 4_096] {
        let pieces = try await readAll(bench, run, limit: limit)
        if limit >= 4 { #expect(pieces.joined() == lines.joined(), "limit \(limit)") }
        if limit >= 64 { #expect(pieces.allSatisfy { $0.hasSuffix("\n") }) }
      }
    }
  }

  @Test func aLineLongerThanTheLimitIsCutBetweenCharacters() async throws {
    let line = String(repeating: "aé😀", count: 50)
    let (bench, run) = try await bench(Array("\(line)\n".utf8))
    for limit in 4...20 {
      let piece = try await read(bench, run, limit: limit)
      #expect(line.hasPrefix(piece.text))
      #expect(limit - piece.nextOffset < 4)
      #expect(piece.text.utf8.count == piece.nextOffset)
    }
  }

  /// A program may write half a character; the rest follows.
  @Test func aCharacterThatIsBeingWritten() async throws {
    let euro = Array("€".utf8)
    let (bench, run) = try await bench(Array("50 ".utf8) + euro.prefix(2))
    let before = try await read(bench, run)
    #expect((before.text, before.nextOffset) == ("50 ", 3))
    try bench.directory.write(Array("50 ".utf8) + euro, to: "stdout.log")
    #expect(try await read(bench, run, before.nextOffset).text == "€")
    // Once nothing can follow, what is there is shown.
    try bench.directory.write(Array("50 ".utf8) + euro.prefix(2), to: "stdout.log")
    try await bench.move(run, [.failed])
    #expect(try await read(bench, run).text == "50 \u{FFFD}")
  }

  @Test func bytesThatAreNoTextAreReplaced() async throws {
    let (bench, run) = try await bench([0x61, 0xFF, 0xFE, 0x62, 0x0A, 0x80, 0x80, 0x80, 0x80, 0x0A])
    let slice = try await read(bench, run)
    #expect(slice.text == "a\u{FFFD}\u{FFFD}b\n\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\n")
    #expect(slice.nextOffset == 10)
    #expect(try await readAll(bench, run, limit: 1).count == 10)
  }

  @Test func aLogThatHasNotBegun() async throws {
    let (bench, run) = try await bench(nil)
    #expect(
      try await read(bench, run, 5, stream: .stderr)
        == LogSlice(stream: .stderr, attempt: 1, offset: 0, nextOffset: 0, size: 0, ended: false, text: ""))
    let outside = try await bench.create()
    let none = try await read(bench, outside)
    #expect((none.attempt, none.ended, none.text) == (0, true, ""))
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.logFile(outside, stream: .stdout, attempt: nil, access: bench.access)
    }
    let refused = try await problem(.notFound) {
      _ = try await bench.tracking.log(
        run, stream: .stdout, attempt: 2, offset: 0, limit: 9, access: bench.access)
    }
    #expect(refused.message.contains("no attempt 2"))
    let file = try await bench.tracking.logFile(run, stream: .stderr, attempt: 1, access: bench.access)
    #expect((file.path, file.name) == ("\(bench.directory.path)/stderr.log", "\(run)-1-stderr.log"))
  }

  @Test func aLinkInTheLogsPlaceIsNotFollowed() async throws {
    let (bench, run) = try await bench(nil)
    try bench.directory.write(Array("secret\n".utf8), to: "elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: "\(bench.directory.path)/stdout.log", withDestinationPath: "\(bench.directory.path)/elsewhere")
    #expect(try await read(bench, run).text.isEmpty)
  }
}
