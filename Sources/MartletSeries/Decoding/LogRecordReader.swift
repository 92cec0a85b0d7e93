// The records of a spool, one by one; docs/spool.md has their layout.

/// One record of a spool.
public struct LogRecord {
  public enum Kind: UInt8, Sendable {
    /// Numbers of one row under name ids.
    case points = 0
    /// A JSON object about the client and the run.
    case info = 1
    /// The program's own word on how it ended.
    case end = 2
    /// A row as a JSON object, name → value.
    case row = 3
  }

  /// Bytes before the payload: length, checksum, seq, step, time, kind.
  public static let headLength = 33
  /// A `length` field beyond this is damage.
  public static let longest = (1 << 26) - 1

  /// Where it begins in the bytes that were read.
  public var offset: Int
  /// Nil: of a later format.
  public var kind: Kind?
  /// For kinds that are no row: what the next row will have.
  public var sequence: UInt64
  /// Has a meaning in rows only.
  public var step: Int64
  /// Microseconds since 1970.
  public var time: Int64
  /// Lies in the bytes that were read and lives as long as they.
  public var payload: UnsafeRawBufferPointer
}

/// Reads records until the first whose length or checksum does not fit.
public struct LogRecordReader {
  private let bytes: UnsafeRawBufferPointer
  /// Where the next record begins; once `next` gave nil, what lies from here on is no whole record.
  public private(set) var offset: Int

  /// - Parameters:
  ///   - bytes: must stay valid while the reader and its records are used.
  ///   - offset: where the first record begins.
  public init(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The next whole record; nil at the end and at damage.
  public mutating func next() -> LogRecord? {
    guard bytes.count - offset >= LogRecord.headLength else { return nil }
    let length = Int(load(offset, as: UInt32.self))
    guard (25...LogRecord.longest).contains(length), bytes.count - offset - 8 >= length else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(offset + 8 + length)])
    guard CRC32.checksum(body) == load(offset + 4, as: UInt32.self) else { return nil }
    let record = LogRecord(
      offset: offset, kind: LogRecord.Kind(rawValue: body[24]), sequence: load(offset + 8, as: UInt64.self),
      step: load(offset + 16, as: Int64.self), time: load(offset + 24, as: Int64.self),
      payload: UnsafeRawBufferPointer(rebasing: body[25...]))
    offset += 8 + length
    return record
  }

  private func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
    T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
  }
}
