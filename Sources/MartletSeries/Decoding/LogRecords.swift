// The compact form of points: pieces of a spool, to columns.

import Glibc
public import MartletModel
import OrderedCollections

/// Rows out of spool records (docs/spool.md): the body of a request, or a spool that the server reads.
///
/// Values under a name that is not allowed are left out; the row keeps its number, so that those behind it count.
public struct LogRecords {
  /// The media type of the records in a request.
  public static let mediaType = "application/vnd.martlet.rows"

  private enum Name {
    case known(String)
    /// Given, but not allowed as a name.
    case refused
  }

  private var names: [UInt32: Name] = [:]
  private var builder = RowBatchBuilder()
  private let skipsUnnamed: Bool
  /// The ids of the last row of numbers as they were written, while a row with the same ids has the same columns.
  private var shape: [UInt8] = []

  /// - Parameter skipsUnnamed: numbers under an id that no info record named are left out, rather than refused.
  public init(skipsUnnamed: Bool) { self.skipsUnnamed = skipsUnnamed }

  /// Rows that were added and not taken.
  public var count: Int { builder.count }

  /// Learns the names that an info record gives, or adds a row; records of other kinds change nothing.
  ///
  /// - Throws: `Problem.unprocessable` with `details.offset`, and nothing is added, when the payload is no row or the row does
  ///   not follow the one before.
  public mutating func add(_ record: LogRecord) throws(Problem) {
    switch record.kind {
    case .info: learn(record)
    case .points, .row: try addRow(record)
    case .end, nil: break
    }
  }

  /// The rows so far; the next row begins another batch, and names stay known. Nil: there is none.
  public mutating func take() -> RowBatch? {
    guard builder.count > 0 else { return nil }
    defer { (builder, shape) = (RowBatchBuilder(), []) }
    return builder.finish()
  }

  /// The rows of a request's body: whole records, of which at least one is a row.
  ///
  /// - Throws: `Problem.unprocessable` with `details.offset`, the byte at which the record lies that is wrong.
  public static func decode(_ body: UnsafeRawBufferPointer) throws(Problem) -> RowBatch {
    var reader = LogRecordReader(body)
    var rows = LogRecords(skipsUnnamed: false)
    while let record = reader.next() { try rows.add(record) }
    guard reader.offset == body.count else {
      throw problem(reader.offset, "its length or its checksum does not fit")
    }
    guard let batch = rows.take() else { throw problem(0, "there is no row in the body") }
    return batch
  }

  /// The same from an array.
  public static func decode(_ body: [UInt8]) throws(Problem) -> RowBatch {
    try body.withUnsafeBufferPointer { (bytes) throws(Problem) in try decode(UnsafeRawBufferPointer(bytes)) }
  }

  private static func problem(_ offset: Int, _ message: String) -> Problem {
    Problem(
      .unprocessable, "The record at byte \(offset) cannot be taken: \(message).",
      hint: "Records are written as docs/spool.md has them, names before their first use.",
      details: ["offset": JSONValue(offset)])
  }

  private mutating func learn(_ record: LogRecord) {
    guard let given = (try? JSONValue.parse(record.payload))?["names"]?.object else { return }
    shape = []
    for (raw, id) in given {
      guard let id = id.int.flatMap(UInt32.init(exactly:)) else { continue }
      let name = raw.inNormalForm
      names[id] = MetricName.fault(of: name) == nil ? .known(name) : .refused
    }
  }

  // MARK: - Rows

  private mutating func addRow(_ record: LogRecord) throws(Problem) {
    guard let sequence = Int64(exactly: record.sequence), sequence < .max else {
      throw Self.problem(record.offset, "its number is beyond 2^63 - 2")
    }
    guard builder.count == 0 || sequence == builder.nextSequence else {
      throw Self.problem(
        record.offset, "its number is \(sequence), where \(builder.nextSequence) was expected")
    }
    if record.kind == .points {
      try stageNumbers(record)
    } else {
      try stageValues(record)
    }
    builder.commit(sequence: sequence, step: record.step, time: record.time)
  }

  private mutating func stageNumbers(_ record: LogRecord) throws(Problem) {
    let payload = record.payload
    let count = payload.count / 12
    guard payload.count == 12 * count else {
      throw Self.problem(record.offset, "its payload is no multiple of 12 bytes")
    }
    let ids = UnsafeRawBufferPointer(rebasing: payload[..<(4 * count)])
    let values = UnsafeRawBufferPointer(rebasing: payload[(4 * count)...])
    if count > 0, shape.withUnsafeBytes({ areEqual($0, ids) }) {
      builder.stageShape(values)
      return
    }
    var slots: [Int32] = []
    slots.reserveCapacity(count)
    var isWhole = true
    for index in 0..<count {
      let id = UInt32(littleEndian: ids.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
      switch names[id] {
      case .known(let name): slots.append(builder.numberSlot(name))
      case .refused:
        slots.append(-1)
        isWhole = false
      case nil:
        guard skipsUnnamed else {
          throw Self.problem(record.offset, "no record before it names the id \(id)")
        }
        slots.append(-1)
        isWhole = false
      }
    }
    if Set(slots).count < count {
      // Of two ids that were given one name, the later value stands.
      var seen: Set<Int32> = [-1]
      for index in slots.indices.reversed() where !seen.insert(slots[index]).inserted { slots[index] = -1 }
      isWhole = false
    }
    for (index, slot) in slots.enumerated() where slot >= 0 {
      let bits = UInt64(littleEndian: values.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
      builder.stage(Double(bitPattern: bits), in: slot)
    }
    // Now the builder's shape is that of these ids, if each of them has a column.
    shape = isWhole ? Array(ids) : []
  }

  private mutating func stageValues(_ record: LogRecord) throws(Problem) {
    guard let values = (try? JSONValue.parse(record.payload))?.object else {
      throw Self.problem(record.offset, "its payload is no JSON object")
    }
    shape = []
    for (raw, value) in values {
      let name = raw.inNormalForm
      guard MetricName.fault(of: name) == nil else { continue }
      switch value {
      case .int(let number): builder.stage(Double(number), in: builder.numberSlot(name))
      case .double(let number): builder.stage(number, in: builder.numberSlot(name))
      case .null, .bool, .string, .array, .object: builder.stage(value.bytes(), in: builder.textSlot(name))
      }
    }
  }

  @inline(__always)
  private func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let first = a.baseAddress, let second = b.baseAddress else { return true }
    return memcmp(first, second, a.count) == 0
  }
}
