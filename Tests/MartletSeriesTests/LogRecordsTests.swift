// Pieces of a spool as the body of a request: rows, or the record that is wrong.

import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@Suite struct LogRecordsTests {
  private func decode(_ bytes: [UInt8]) throws -> RowBatch {
    try withGuard(bytes) { try LogRecords.decode($0) }
  }

  private func refused(_ spool: SpoolWriter, at record: Int, _ words: String) throws {
    let error = #expect(throws: Problem.self) { try decode(spool.bytes) }
    #expect(error?.code == .unprocessable)
    #expect(error?.details["offset"]?.int == Int64(record == 0 ? 0 : spool.ends[record - 1]))
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test func rowsOfAllKinds() throws {
    var spool = SpoolWriter()
    spool.info(#"{"format": 1, "names": {"loss": 0, "acc": 7}}"#)
    spool.points(5, step: 10, [(0, 0.5), (7, -0.0)])
    spool.add(2, sequence: 6)
    spool.row(6, step: .min, #"{"note": "text", "loss": NaN, "n": 3, "list": [1, NaN]}"#)
    spool.add(99, sequence: 6, Array("of a later format".utf8))
    spool.info(#"{"names": {"new": 8}, "config": {}}"#, sequence: 7)
    spool.points(7, step: .max, [(8, .infinity)])
    spool.points(8, [])
    let batch = try decode(spool.bytes)
    #expect((batch.firstSequence, batch.count, batch.nextSequence) == (5, 4, 9))
    #expect(batch.steps == [10, .min, .max, 0] && batch.stepless.isEmpty && batch.times == [5, 5, 5, 5])
    #expect(batch.numbers.map(\.name) == ["loss", "acc", "n", "new"])
    #expect(batch.numbers.map(\.rows) == [.some([0, 1]), .some([0]), .some([1]), .some([2])])
    #expect(batch.numbers[0].values[0] == 0.5 && batch.numbers[0].values[1].isNaN)
    #expect(batch.numbers[1].values[0].bitPattern == (-0.0).bitPattern)
    #expect(batch.texts.map(\.name) == ["note", "list"])
    #expect(batch.texts.map(\.values) == [[Array("\"text\"".utf8)], [Array("[1,\"NaN\"]".utf8)]])
  }

  @Test func whatIsRefused() throws {
    var begin = SpoolWriter()
    begin.info(#"{"names": {"loss": 0}}"#)
    try refused(begin, at: 0, "no row")
    try refused(SpoolWriter(), at: 0, "no row")
    begin.points(4, [(0, 1)])
    var spool = begin
    spool.points(6, [(0, 1)])
    try refused(spool, at: 2, "its number is 6, where 5 was expected")
    spool = begin
    spool.points(5, [(0, 1), (3, 1)])
    try refused(spool, at: 2, "names the id 3")
    spool = begin
    spool.add(0, sequence: 5, [UInt8](repeating: 0, count: 13))
    try refused(spool, at: 2, "multiple of 12")
    for json in ["[1]", "{", "", "{\"a\": tru}"] {
      spool = begin
      spool.row(5, json)
      try refused(spool, at: 2, "no JSON object")
    }
    for sequence in [UInt64(Int64.max), .max] {
      spool = SpoolWriter()
      spool.row(sequence, "{}")
      try refused(spool, at: 0, "its number is beyond")
    }
    spool = begin
    spool.bytes += [1, 2, 3]
    let error = #expect(throws: Problem.self) { try decode(spool.bytes) }
    #expect(error?.details["offset"]?.int == Int64(begin.bytes.count))
  }

  /// A row keeps its number, whatever its names are.
  @Test func namesThatNoServerWouldTake() throws {
    var spool = SpoolWriter()
    let long = String(repeating: "n", count: 513)
    spool.info(
      #"{"names": {"bad\u0007": 0, "": 1, "e\u0301": 2, "\#(long)": 3, "no id": "x", "far": 4294967296}}"#)
    spool.points(0, [(0, 1), (1, 2), (2, 3), (3, 4)])
    spool.row(1, #"{"": 1, "\#(long)": "text", "é": 2}"#)
    let batch = try decode(spool.bytes)
    #expect(batch.count == 2 && batch.texts.isEmpty)
    #expect(batch.numbers.map { Array($0.name.utf8) } == [Array("\u{E9}".utf8)])
    #expect(batch.numbers.map(\.values) == [[3, 2]])
  }

  @Test func aLaterNameHoldsForTheRowsAfterIt() throws {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"old": 1}}"#)
    spool.points(0, [(1, 1)])
    spool.points(1, [(1, 2)])
    spool.info(#"{"names": {"new": 1}}"#, sequence: 2)
    spool.points(2, [(1, 3)])
    // Two ids of one name: a row has a name once, the later value stands.
    spool.info(#"{"names": {"new": 2}}"#, sequence: 3)
    spool.points(3, [(1, 4), (2, 5)])
    spool.points(4, [(1, 6), (2, 7)])
    let batch = try decode(spool.bytes)
    #expect(batch.numbers.map(\.name) == ["old", "new"])
    #expect(batch.numbers.map(\.values) == [[1, 2], [3, 5, 7]])
    #expect(batch.numbers.map(\.rows) == [.some([0, 1]), .some([2, 3, 4])])
  }

  /// Rows of changing shapes, beside the same rows as JSON lines.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func asTheSameRowsInLines(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    var spool = SpoolWriter()
    var lines = ""
    spool.info("{\"names\":{\((0..<12).map { "\"n\($0)\":\($0 + 100)" }.joined(separator: ","))}}")
    var ids = Array(0..<10)
    for row in 0..<1_000 {
      if dice.chance(1, in: 9) { ids = (0..<12).filter { _ in dice.chance(2, in: 3) }.shuffled(using: &dice) }
      let values = ids.map {
        ($0, dice.chance(1, in: 20) ? dice.double() : Double.random(in: -1...1, using: &dice))
      }
      if dice.chance(1, in: 40) {
        spool.info(#"{"config": {"a": 1}, "names": {"late": 300}}"#, sequence: UInt64(row))
      }
      func literal(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
      }
      let members = values.map { "\"n\($0.0)\":\(literal($0.1))" }.joined(separator: ",")
      let text = dice.chance(1, in: 30) ? "\(members.isEmpty ? "" : ",")\"t\":[\(row)]" : ""
      if text.isEmpty {
        // NaN of any other bits has no literal.
        spool.points(
          UInt64(row), step: Int64(row), values.map { (UInt32($0.0 + 100), $0.1.isNaN ? .nan : $0.1) })
      } else {
        spool.row(UInt64(row), step: Int64(row), "{\(members)\(text)}")
      }
      lines += "{\"seq\":\(row),\"step\":\(row),\"time\":5,\"values\":{\(members)\(text)}}\n"
    }
    let batch = try decode(spool.bytes)
    let same = try LogLines.decode(Array(lines.utf8), now: noon)
    #expect(sorted(batch.rows()) == sorted(same.rows()))
  }

  @Test func aSpoolInBatches() throws {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"a": 0, "b": 1}}"#)
    for row in 0..<10 { spool.points(UInt64(row), step: Int64(row), [(0, Double(row)), (9, 9)]) }
    spool.row(10, "no JSON")
    try withGuard(spool.bytes) { bytes in
      var reader = LogRecordReader(bytes)
      var rows = LogRecords(skipsUnnamed: true)
      var batches: [RowBatch] = []
      var refused = 0
      #expect(rows.take()?.count == nil)
      while let record = reader.next() {
        do {
          try rows.add(record)
        } catch {
          refused += 1
          #expect(record.offset == spool.ends[10])
        }
        if rows.count == 4, let batch = rows.take() { batches.append(batch) }
      }
      #expect((reader.offset, refused, rows.count) == (bytes.count, 1, 2))
      if let batch = rows.take() { batches.append(batch) }
      #expect(batches.map(\.firstSequence) == [0, 4, 8] && batches.map(\.count) == [4, 4, 2])
      #expect(batches.flatMap { $0.numbers.flatMap(\.values) } == (0..<10).map { Double($0) })
      #expect(batches.allSatisfy { $0.numbers.map(\.name) == ["a"] && $0.numbers[0].rows == .all })
    }
  }

  @Test func tornAndDamagedAnywhere() throws {
    var spool = SpoolWriter()
    spool.info(#"{"names": {"loss": 0, "acc": 7}}"#)
    for row in 0..<4 { spool.points(UInt64(row), [(0, 0.5), (7, 1)]) }
    spool.row(4, #"{"note": "text"}"#)
    let whole = spool.bytes
    for length in 0..<whole.count {
      let records = spool.ends.count(where: { $0 <= length })
      let isWhole = spool.ends.contains(length) && records > 1
      if isWhole {
        #expect(try decode(Array(whole.prefix(length))).count == records - 1)
      } else {
        #expect(throws: Problem.self) { try decode(Array(whole.prefix(length))) }
      }
    }
    for position in whole.indices {
      for mask in [0x01, 0x80, 0xFF] as [UInt8] {
        var bytes = whole
        bytes[position] ^= mask
        let error = #expect(throws: Problem.self) { try decode(bytes) }
        let offset = spool.ends.last { $0 <= position } ?? 0
        #expect(error?.details["offset"]?.int == Int64(offset))
      }
    }
  }

  @Test func damageBehindARightChecksum() throws {
    var dice = SeededNumbers(seed: 12)
    for _ in 0..<400 {
      var spool = SpoolWriter()
      spool.info(#"{"names": {"a": 0}}"#)
      for row in 0..<UInt64.random(in: 1...4, using: &dice) {
        let payload = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
          dice.chance(1, in: 2) ? 0 : UInt8.random(in: 0...255, using: &dice)
        }
        spool.add(dice.pick([0, 0, 1, 2, 3, 4]), sequence: row, payload)
      }
      if let batch = try? decode(spool.bytes) { #expect(batch.rows().count == batch.count) }
    }
  }

  @Test(
    arguments: [
      ("", 0), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
    ] as [(String, UInt32)])
  func checksums(text: String, expected: UInt32) {
    #expect(Array(text.utf8).withUnsafeBytes { CRC32.checksum($0) } == expected)
  }

  /// Sixteen bytes at a time, and what is left over.
  @Test func checksumsOfAllLengths() throws {
    var dice = SeededNumbers(seed: 1)
    let bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &dice) }
    for length in 0...100 {
      var sum = ~UInt32(0)
      for byte in bytes.prefix(length) {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
      }
      #expect(try withGuard(Array(bytes.prefix(length))) { CRC32.checksum($0) } == ~sum)
    }
  }
}
