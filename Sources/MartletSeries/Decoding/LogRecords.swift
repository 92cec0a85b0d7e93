// The compact form of points: pieces of a spool, to columns.

public import MartletModel
import OrderedCollections

/// Rows out of spool records (docs/spool.md).
///
/// One meaning for the body of a request and for a spool that the server reads: numbers under a name that is not allowed
/// are left out, the row keeps its number.
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

  /// - Parameter skipsUnnamed: numbers under an id that no info record named are left out, rather than refused.
  public init(skipsUnnamed: Bool) { self.skipsUnnamed = skipsUnnamed }

  /// Rows that were added and not taken.
  public var count: Int { builder.count }

  /// Learns the names that an info record gives, and adds a row; records of other kinds change nothing.
  ///
  /// - Throws: `Problem.unprocessable` with `details.offset` when its payload is no row, or the row does not follow the one
  ///   before; nothing is added then.
  public mutating func add(_ record: LogRecord) throws(Problem) {
    switch record.kind {
    case .info: learn(record)
    case .points, .row: try addRow(record)
    case .end, nil: break
    }
  }

  /// The rows so far; the next row begins another batch, names stay known. Nil: there is none.
  public mutating func take() -> RowBatch? {
    guard builder.count > 0 else { return nil }
    defer { builder = RowBatchBuilder() }
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
    for (raw, id) in given {
      guard let id = id.int.flatMap(UInt32.init(exactly:)) else { continue }
      let name = raw.inNormalForm
      names[id] = MetricName.fault(of: name) == nil ? .known(name) : .refused
    }
  }

  private mutating func addRow(_ record: LogRecord) throws(Problem) {
    guard let sequence = Int64(exactly: record.sequence), sequence < .max else {
      throw Self.problem(record.offset, "its number is beyond 2^63 - 2")
    }
    var row = LogRow(
      sequence: sequence, step: record.step, time: Timestamp(microseconds: record.time), numbers: [],
      others: [])
    if record.kind == .points {
      try addNumbers(of: record, to: &row)
    } else {
      guard let values = (try? JSONValue.parse(record.payload))?.object else {
        throw Self.problem(record.offset, "its payload is no JSON object")
      }
      let allowed = values.filter { MetricName.fault(of: $0.key.inNormalForm) == nil }
      do {
        row = try LogLines.row(values: allowed, sequence: sequence, step: record.step, time: row.time)
      } catch {
        throw Self.problem(record.offset, error.description)
      }
    }
    do {
      try builder.add(row)
    } catch {
      throw Self.problem(record.offset, error.message)
    }
  }

  private func addNumbers(of record: LogRecord, to row: inout LogRow) throws(Problem) {
    let payload = record.payload
    let count = payload.count / 12
    guard payload.count == 12 * count else {
      throw Self.problem(record.offset, "its payload is no multiple of 12 bytes")
    }
    for index in 0..<count {
      let id = UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
      let bits = UInt64(
        littleEndian: payload.loadUnaligned(fromByteOffset: 4 * count + 8 * index, as: UInt64.self))
      switch names[id] {
      case .known(let name): row.numbers.append((name, Double(bitPattern: bits)))
      case .refused: break
      case nil:
        if !skipsUnnamed { throw Self.problem(record.offset, "no record before it names the id \(id)") }
      }
    }
  }
}
