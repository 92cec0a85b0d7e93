// Spool files: read as far as they are whole, by whoever wrote them.

import Foundation
import MartletExecution
import MartletModel
import MartletSeries
import OrderedCollections
import Testing

@testable import MartletTracking

/// Writes records as docs/spool.md has them.
private struct SpoolWriter {
  var bytes: [UInt8] = []
  /// Where each record ends.
  var ends: [Int] = []

  mutating func add(_ kind: UInt8, sequence: Int64, step: Int64 = 0, time: Int64 = 5, _ payload: [UInt8]) {
    var body: [UInt8] = []
    for value in [sequence, step, time] { withUnsafeBytes(of: value.littleEndian) { body += $0 } }
    body.append(kind)
    body += payload
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { bytes += $0 }
    let checksum = body.withUnsafeBytes { CRC32.checksum($0) }
    withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
    bytes += body
    ends.append(bytes.count)
  }

  mutating func info(_ json: String, sequence: Int64 = 0) { add(1, sequence: sequence, Array(json.utf8)) }

  mutating func points(_ sequence: Int64, step: Int64, _ values: [(id: UInt32, value: Double)]) {
    var payload: [UInt8] = []
    for (id, _) in values { withUnsafeBytes(of: id.littleEndian) { payload += $0 } }
    for (_, value) in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { payload += $0 } }
    add(0, sequence: sequence, step: step, payload)
  }
}

@Suite struct SpoolTests {
  private func sample() -> SpoolWriter {
    var spool = SpoolWriter()
    spool.info(#"{"format": 1, "client": "c", "names": {"loss": 0, "acc": 7}, "config": {"lr": 1.0}}"#)
    spool.points(0, step: 10, [(0, 0.5), (7, -0.0)])
    spool.add(3, sequence: 1, step: 11, Array(#"{"note": "text", "loss": NaN, "big": -Infinity}"#.utf8))
    spool.info(#"{"patch": {"notes": "late"}, "config": {"net": {"layers": 2}}}"#, sequence: 2)
    spool.points(2, step: .min, [(7, .infinity)])
    spool.add(2, sequence: 3, Array(#"{"exit_code": 1, "reason": "ValueError: no"}"#.utf8))
    return spool
  }

  /// A batch becomes one block of the database: many long texts are many batches.
  @Test func longTextsAreManyBatches() {
    var spool = SpoolWriter()
    let text = #"{"note": ""# + String(repeating: "x", count: 1 << 20) + #""}"#
    for row in 0..<20 { spool.add(3, sequence: Int64(row), Array(text.utf8)) }
    spool.add(3, sequence: 20, Array(#"{"note": ""}"#.utf8))
    let read = Spool.read(spool.bytes, client: "c")
    #expect(read.batches.map(\.count) == [8, 8, 5])
    #expect(read.batches.map(\.firstSequence) == [0, 8, 16])
    #expect(read.tornBytes == 0)
  }

  @Test func aWholeFile() {
    let spool = Spool.read(sample().bytes, client: "c")
    #expect(spool.rows.map(\.sequence) == [0, 1, 2])
    #expect(spool.rows.map(\.step) == [10, 11, .min])
    #expect(spool.rows.map(\.time.microseconds) == [5, 5, 5])
    #expect(spool.rows[0].numbers.map(\.name) == ["loss", "acc"])
    #expect(spool.rows[0].numbers.map(\.value.bitPattern) == [(0.5).bitPattern, (-0.0).bitPattern])
    #expect(spool.rows[1].numbers.map(\.name) == ["loss", "big"])
    #expect(spool.rows[1].numbers[0].value.isNaN)
    #expect(spool.rows[1].numbers[1].value == -.infinity)
    #expect(spool.rows[1].others.first?.value == "text")
    #expect(spool.rows[2].numbers.map(\.value) == [.infinity])
    #expect(spool.patch == ["config": ["lr": 1.0, "net": ["layers": 2]], "notes": "late"])
    #expect(spool.endReason == "ValueError: no")
    #expect(spool.tornBytes == 0)
  }

  @Test func aLaterWordOnAKeyReplacesTheEarlierWhole() {
    var spool = SpoolWriter()
    spool.info(
      #"""
      {"config": {"net": {"a": 1, "b": 2}, "lr": 1}, "patch": {"tags": ["x"], "git": {"commit": "a", "branch": "b"}, \#
      "metrics": {"loss": {"goal": "minimize", "summary": "best"}}, "summary": {"o": {"p": 1}, "q": 1}}}
      """#)
    spool.info(
      #"""
      {"config": {"net": {"b": 3}}, "patch": {"tags": ["y"], "git": {"commit": "c"}, \#
      "metrics": {"loss": {"hidden": true}}, "summary": {"o": {"r": 2}}}}
      """#)
    #expect(
      Spool.read(spool.bytes, client: "c").patch == [
        "config": ["net": ["b": 3], "lr": 1], "tags": ["y"], "git": ["commit": "c"],
        "metrics": ["loss": ["hidden": true]], "summary": ["o": ["r": 2], "q": 1],
      ])
  }

  @Test func tornAtEveryByte() {
    let whole = sample()
    for length in 0...whole.bytes.count {
      let spool = Spool.read(Array(whole.bytes.prefix(length)), client: "c")
      let records = whole.ends.filter { $0 <= length }
      #expect(spool.rows.count == [0, 0, 1, 2, 2, 3, 3][records.count])
      #expect(spool.tornBytes == length - (records.last ?? 0))
      #expect((spool.endReason != nil) == (records.count == 6))
    }
  }

  @Test func nothingBehindDamageIsUsed() {
    let whole = sample()
    let start = whole.ends[1]
    for position in start..<whole.ends[2] {
      for mask in [0x01, 0x80, 0xFF] as [UInt8] {
        var bytes = whole.bytes
        bytes[position] ^= mask
        let spool = Spool.read(bytes, client: "c")
        #expect(spool.rows.map(\.sequence) == [0])
        #expect(spool.tornBytes == bytes.count - start)
      }
    }
  }

  @Test func unknownKindsAreSkipped() {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"a": 1}, "something": ["new"]}"#)
    spool.add(4, sequence: 0, Array("whatever".utf8))
    spool.add(255, sequence: 0, [])
    spool.info("no JSON at all")
    spool.points(0, step: 1, [(1, 2)])
    let read = Spool.read(spool.bytes, client: "c")
    #expect(read.rows.map { $0.numbers.map(\.value) } == [[2]])
    #expect(read.tornBytes == 0)
  }

  @Test func aLaterNameHoldsForTheRowsAfterIt() {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"old": 1}}"#)
    spool.points(0, step: 0, [(1, 1)])
    spool.info(#"{"names": {"new": 1}}"#, sequence: 1)
    spool.points(1, step: 1, [(1, 2), (99, 3)])
    // Two ids of one name: a row has a name once, the later value stands.
    spool.info(#"{"names": {"new": 2}}"#, sequence: 2)
    spool.points(2, step: 2, [(1, 4), (2, 5)])
    let rows = Spool.read(spool.bytes, client: "c").rows
    #expect(rows.map { $0.numbers.map(\.name) } == [["old"], ["new"], ["new"]])
    #expect(rows.map { $0.numbers.map(\.value) } == [[1], [2], [5]])
  }

  @Test func whatTheServerWasToldIsNotToldAgain() throws {
    let scratch = Scratch()
    let whole = sample()
    func patch() throws -> JSONValue? { try Spool.readAll(in: scratch.path).first?.patch }
    try scratch.write(whole.bytes, to: "c.spool")
    #expect(try patch() == ["config": ["lr": 1.0, "net": ["layers": 2]], "notes": "late"])
    try scratch.write(Array(#"{"next_seq": 1, "offset": \#(whole.ends[0])}"#.utf8), to: "c.ack")
    #expect(try patch() == ["config": ["net": ["layers": 2]], "notes": "late"])
    try scratch.write(Array(#"{"next_seq": 2, "offset": \#(whole.ends[3])}"#.utf8), to: "c.ack")
    #expect(try patch() == [:])
    // Names are known whatever was told.
    #expect(try Spool.readAll(in: scratch.path).first?.rows.count == 3)
    // An .ack that is cut off says nothing.
    try scratch.write(Array(#"{"next_seq": 2, "off"#.utf8), to: "c.ack")
    #expect(try patch() == ["config": ["lr": 1.0, "net": ["layers": 2]], "notes": "late"])
  }

  @Test func namesThatNoServerWouldTake() throws {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"bad\u0007": 0, "": 1, "e\u0301": 2}}"#)
    spool.points(0, step: 0, [(0, 1), (1, 2), (2, 3)])
    let rows = Spool.read(spool.bytes, client: "c").rows
    #expect(rows.map { $0.numbers.map { Array($0.name.utf8) } } == [[Array("\u{E9}".utf8)]])
    #expect(rows.map { $0.numbers.map(\.value) } == [[3]])
  }

  @Test func oneSpoolAtATime() throws {
    let scratch = Scratch()
    for client in ["bb", "aa"] { try scratch.write(sample().bytes, to: "\(client).spool") }
    try scratch.write(Array(#"{"next_seq": 1, "offset": 1000000}"#.utf8), to: "bb.ack")
    let names = try Spool.names(in: scratch.path)
    #expect(names == ["aa.spool", "bb.spool"])
    #expect(try Spool.names(in: "\(scratch.path)/nothing").isEmpty)
    let spools = try names.map { try Spool.read(path: "\(scratch.path)/\($0)") }
    #expect(spools.map(\.client) == ["aa", "bb"])
    #expect(spools.map(\.rows.count) == [3, 3])
    #expect(spools.map { $0.patch == [:] } == [false, true])
    // Gone since it was listed: nothing is left to be read.
    let gone = try Spool.read(path: "\(scratch.path)/cc.spool")
    #expect((gone.client, gone.rows.isEmpty, gone.patch, gone.tornBytes) == ("cc", true, [:], 0))
    // What is there and cannot be read is no empty spool.
    #expect(throws: (any Error).self) { try Spool.names(in: "\(scratch.path)/aa.spool") }
    #expect(mkdir("\(scratch.path)/dd.spool", 0o700) == 0)
    #expect(throws: (any Error).self) { try Spool.read(path: "\(scratch.path)/dd.spool") }
  }

  @Test func allSpoolsOfADirectory() throws {
    let scratch = Scratch()
    for client in ["bb", "aa"] { try scratch.write(sample().bytes, to: "\(client).spool") }
    for other in ["aa.sender", "stop_signal", "aa.error"] { try scratch.write([1, 2, 3], to: other) }
    #expect(try Spool.readAll(in: scratch.path).map(\.client) == ["aa", "bb"])
    #expect(try Spool.readAll(in: "\(scratch.path)/nothing").isEmpty)
  }

  @Test(
    arguments: [
      ("", 0), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
    ] as [(String, UInt32)])
  func checksums(text: String, expected: UInt32) {
    #expect(Array(text.utf8).withUnsafeBytes { CRC32.checksum($0) } == expected)
  }

  /// The client's own writer and this reader agree, and what it wrote arrives once however often it is read.
  @Test func aSpoolOfThePythonClient() async throws {
    let bench = try await Bench()
    let place = bench.directory.path
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    var environment = ProcessInfo.processInfo.environment.merging(
      ["PYTHONPATH": "\(root)/clients/python", "HOME": place, "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
    environment["MARTLET_RUN_ID"] = nil
    let python = ChildProcess(
      "/usr/bin/env", ["python3", "-c", Self.program, place], environment: environment)
    try #require(try python.run(within: .seconds(60)).isSuccess)

    let spool = try #require(try Spool.readAll(in: "\(place)/.martlet").first)
    #expect(spool.client.utf8.count == 32)
    #expect(spool.tornBytes == 0)
    #expect(spool.endReason == "enough")
    #expect(spool.rows.map(\.sequence) == Array(0..<103))
    #expect(spool.patch["config"]?["late"] == ["x": 1.0])
    let run = try await bench.create()
    for _ in 0..<2 {
      for batch in spool.batches {
        _ = try await bench.tracking.append(batch, to: run, client: spool.client)
      }
    }
    let shown = try await bench.show(run)
    #expect(shown.points == 206)
    #expect(shown.values.map(\.value) == ["text"])
    let loss = try #require(try await bench.series(run))
    #expect(loss.steps == Array(0..<102) + [1_000])
    let expected = (0..<100).map { 1 / Double($0 + 1) } + [.nan, -0.0, .leastNonzeroMagnitude]
    #expect(loss.values?.map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(try await bench.series(run, "é")?.values == [1, .infinity, 3])
  }

  private static let program = """
    import sys, martlet
    run = martlet.init(project="digits", mode="offline", directory=sys.argv[1], config={"lr": 0.1})
    for i in range(100):
        run.log({"loss": 1 / (i + 1), "acc": i})
    run.log({"loss": float("nan"), "é": 1})
    run.log({"loss": -0.0, "é": float("inf"), "note": "text"})
    run.config.update({"late": {"x": 1.0}})
    run.log({"loss": 5e-324, "é": 3}, step=1000)
    run.finish(reason="enough")
    """
}

extension Spool {
  /// All spools of a directory.
  fileprivate static func readAll(in directory: String) throws -> [Spool] {
    try names(in: directory).map { try read(path: "\(directory)/\($0)") }
  }
}

extension Spool {
  fileprivate var rows: [LogRow] { batches.flatMap { $0.rows() } }
}
