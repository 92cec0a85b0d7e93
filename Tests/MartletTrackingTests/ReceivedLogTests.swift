// Output that clients of runs from outside send: each byte once, each client a log of its own.

import Foundation
import MartletModel
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletTracking

@Suite struct ReceivedLogTests {
  @discardableResult
  private func send(
    _ bench: Bench, _ run: PublicID, _ text: String, at offset: Int, _ stream: LogStream = .stdout,
    client: String = "client-a", time: Int64? = nil
  ) async throws -> (size: Int, accepted: Int) {
    try await bench.tracking.appendLog(
      run, client: client, stream: stream, offset: offset, time: time.map(Timestamp.init(microseconds:)),
      piece: Array(text.utf8), access: bench.access)
  }

  private func read(
    _ bench: Bench, _ run: PublicID, _ stream: LogStream = .stdout, attempt: Int? = nil
  ) async throws -> LogSlice {
    try await bench.tracking.log(
      run, stream: stream, attempt: attempt, offset: 0, limit: 65_536, access: bench.access)
  }

  @Test func eachByteCountsOnce() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    #expect(try await send(bench, run, "one\ntwo\n", at: 0) == (8, 8))
    #expect(try await send(bench, run, "one\ntwo\n", at: 0) == (8, 0))
    // What is known is passed over, what is new is taken.
    #expect(try await send(bench, run, "two\nthree\n", at: 4) == (14, 6))
    let gap = try await problem(.conflict) { try await send(bench, run, "x", at: 15) }
    #expect(gap.details["size"] == 14)
    #expect(try await send(bench, run, "oops\n", at: 0, .stderr) == (5, 5))
    let slice = try await read(bench, run)
    #expect((slice.text, slice.attempt, slice.ended) == ("one\ntwo\nthree\n", 1, false))
    #expect(try await read(bench, run, .stderr).text == "oops\n")
  }

  @Test func sendersOfTheSamePieceAtOnce() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let pieces = (0..<20).map { "line \($0)\n" }
    let whole = pieces.joined()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var at = 0
          for piece in pieces {
            try await send(bench, run, piece, at: at)
            at += piece.utf8.count
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await read(bench, run).text == whole)
  }

  @Test func eachClientHasALogOfItsOwn() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await send(bench, run, "first\n", at: 0, client: "client-a")
    try await send(bench, run, "second\n", at: 0, client: "client-b")
    try await send(bench, run, "more\n", at: 6, client: "client-a")
    #expect(try await read(bench, run).text == "second\n")
    #expect(try await read(bench, run, attempt: 1).text == "first\nmore\n")
    let none = try await problem(.notFound) { _ = try await read(bench, run, attempt: 3) }
    #expect(none.hint == "It has 2.")
    let file = try await bench.tracking.logFile(run, stream: .stdout, attempt: 1, access: bench.access)
    #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "first\nmore\n")
    _ = try await bench.tracking.finishRun(
      run, RunFinish(state: .finished, exitCode: 0, reason: nil), access: bench.access)
    #expect(try await read(bench, run).ended)
    // What was on its way when it ended is taken.
    #expect(try await send(bench, run, "late\n", at: 7, client: "client-b") == (12, 5))
  }

  @Test func timesAreInTheIndex() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await send(bench, run, "one\n", at: 0, time: 1_000)
    try await send(bench, run, "bad\n", at: 0, .stderr, time: 2_000)
    try await send(bench, run, "two\n", at: 4)
    let bytes = try Data(
      contentsOf: URL(fileURLWithPath: "\(bench.directory.path)/runs/\(run)/log-1/log.idx"))
    let records = stride(from: 0, to: bytes.count, by: LogIndexRecord.length).compactMap { start in
      Array(bytes[start...]).withUnsafeBytes { LogIndexRecord($0) }
    }
    #expect(
      records == [
        LogIndexRecord(time: 1_000, stream: .stdout, size: 4),
        LogIndexRecord(time: 2_000, stream: .stderr, size: 4),
        LogIndexRecord(time: noon.microseconds, stream: .stdout, size: 8),
      ])
  }

  @Test func whoMayNotSend() async throws {
    let bench = try await Bench()
    let executed = try await bench.executed()
    _ = try await problem(.conflict) { try await send(bench, executed, "x", at: 0) }
    let run = try await bench.create()
    _ = try await problem(.unprocessable) { try await send(bench, run, "x", at: 0, client: "a/b") }
    _ = try await bench.tracking.deleteRun(run, purge: false, access: bench.access)
    _ = try await problem(.notFound) { try await send(bench, run, "x", at: 0) }
    _ = try await problem(.notFound) { try await send(bench, .random(), "x", at: 0) }
  }

  @Test func itGoesWithItsRun() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await send(bench, run, "one\n", at: 0)
    #expect(FileManager.default.fileExists(atPath: "\(bench.directory.path)/runs/\(run)/log-1/stdout.log"))
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    try await eventually("its directory and its rows are gone") {
      try await bench.tracking.clean(by: bench.access.principal)
      let runs = try await bench.store.health().counts.runs
      return runs == 0 && !FileManager.default.fileExists(atPath: "\(bench.directory.path)/runs/\(run)")
    }
  }
}
