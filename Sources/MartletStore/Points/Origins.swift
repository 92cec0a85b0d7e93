// Which rows of a run came from which client.

import MartletModel

/// The origins of consecutive rows of a run, in the order of their arrival.
///
/// Stored as varints (LEB128): how many clients; each client's length and bytes; then for each stretch its client's number, its
/// first sequence number and its rows.
struct Origins: Equatable {
  /// Rows of one client that follow each other without a gap.
  struct Stretch: Equatable {
    var client: String
    var firstSequence: Int64
    var count: Int
  }

  private(set) var stretches: [Stretch] = []

  static func client(_ client: String, firstSequence: Int64, count: Int) -> Origins {
    var origins = Origins()
    origins.append(Stretch(client: client, firstSequence: firstSequence, count: count))
    return origins
  }

  /// Rows.
  var count: Int { stretches.reduce(0) { $0 + $1.count } }

  mutating func append(_ stretch: Stretch) {
    guard stretch.count > 0 else { return }
    if let last = stretches.last, last.client == stretch.client,
      last.firstSequence + Int64(last.count) == stretch.firstSequence
    {
      stretches[stretches.count - 1].count += stretch.count
    } else {
      stretches.append(stretch)
    }
  }

  mutating func append(_ other: Origins) {
    for stretch in other.stretches { append(stretch) }
  }

  /// The origins of some of these rows.
  ///
  /// - Parameter rows: indices, ascending, below `count`.
  func picked(_ rows: some Sequence<Int>) -> Origins {
    var picked = Origins()
    var (index, start) = (0, 0)
    for row in rows {
      while index < stretches.count, row >= start + stretches[index].count {
        start += stretches[index].count
        index += 1
      }
      guard index < stretches.count else { break }
      picked.append(
        Stretch(
          client: stretches[index].client,
          firstSequence: stretches[index].firstSequence + Int64(row - start), count: 1))
    }
    return picked
  }

  /// The origins of consecutive rows.
  func slice(_ range: Range<Int>) -> Origins {
    var slice = Origins()
    var start = 0
    for stretch in stretches {
      let part = range.clamped(to: start..<(start + stretch.count))
      if !part.isEmpty {
        slice.append(
          Stretch(
            client: stretch.client, firstSequence: stretch.firstSequence + Int64(part.lowerBound - start),
            count: part.count))
      }
      start += stretch.count
    }
    return slice
  }

  // MARK: - Bytes

  func encoded() -> [UInt8] {
    var clients: [String] = []
    var numbers: [String: Int] = [:]
    for stretch in stretches where numbers[stretch.client] == nil {
      numbers[stretch.client] = clients.count
      clients.append(stretch.client)
    }
    var out: [UInt8] = []
    Self.put(UInt64(clients.count), to: &out)
    for client in clients {
      Self.put(UInt64(client.utf8.count), to: &out)
      out += client.utf8
    }
    for stretch in stretches {
      Self.put(UInt64(numbers[stretch.client] ?? 0), to: &out)
      Self.put(UInt64(bitPattern: stretch.firstSequence), to: &out)
      Self.put(UInt64(stretch.count), to: &out)
    }
    return out
  }

  /// - Throws: `Problem.internal` when the bytes are damaged.
  init(decoding bytes: UnsafeRawBufferPointer) throws(Problem) {
    var at = 0
    var clients: [String] = []
    for _ in 0..<(try Self.length(bytes, &at)) {
      let length = try Self.length(bytes, &at)
      clients.append(String(decoding: bytes[at..<(at + length)], as: UTF8.self))
      at += length
    }
    while at < bytes.count {
      let client = try Self.get(bytes, &at)
      let first = Int64(bitPattern: try Self.get(bytes, &at))
      let count = try Self.get(bytes, &at)
      guard client < UInt64(clients.count), first >= 0, count > 0, count <= UInt64(Int32.max) else {
        throw Self.damaged
      }
      stretches.append(Stretch(client: clients[Int(client)], firstSequence: first, count: Int(count)))
    }
  }

  init() {}

  private static let damaged = Problem(
    .internal, "The origins of some rows in the database are damaged.", hint: "Run 'martlet doctor'.")

  private static func put(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }

  private static func get(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(Problem) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard at < bytes.count else { throw damaged }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damaged
  }

  /// A number of bytes or things of at least a byte that are still to come.
  private static func length(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(Problem) -> Int {
    let value = try get(bytes, &at)
    guard value <= UInt64(bytes.count - at) else { throw damaged }
    return Int(value)
  }
}
