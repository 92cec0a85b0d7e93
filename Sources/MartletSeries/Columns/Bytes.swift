// Words to bytes and back: little endian, every read checked.

import MartletModel

extension [UInt8] {
  mutating func append(word: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }

  mutating func append(words: [Int64]) {
    words.withUnsafeBytes { bytes in
      #if _endian(little)
        append(contentsOf: bytes)
      #else
        for word in words { append(word: word) }
      #endif
    }
  }

  mutating func append(doubles: [Double]) {
    doubles.withUnsafeBytes { bytes in
      #if _endian(little)
        append(contentsOf: bytes)
      #else
        for double in doubles { append(word: double.bitPattern) }
      #endif
    }
  }
}

/// Reads stored bytes from the front.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var at = 0
  /// "A chunk of steps": who is damaged when the bytes do not fit.
  private let what: StaticString

  init(_ bytes: UnsafeRawBufferPointer, of what: StaticString) {
    self.bytes = bytes
    self.what = what
  }

  var left: Int { bytes.count - at }
  var damage: Problem {
    Problem(.internal, "\(what) in the database is damaged.", hint: "Run 'martlet doctor'.")
  }

  /// - Throws: `Problem.internal`, as all that follow, when fewer bytes are left.
  mutating func slice(_ count: Int) throws(Problem) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= left else { throw damage }
    at += count
    return UnsafeRawBufferPointer(rebasing: bytes[(at - count)..<at])
  }

  /// Goes on behind bytes that were looked at, of which there are so many.
  mutating func skip(_ count: Int) { at += count }

  mutating func byte() throws(Problem) -> UInt8 { try slice(1)[0] }

  mutating func u32() throws(Problem) -> UInt32 {
    UInt32(littleEndian: try slice(4).loadUnaligned(as: UInt32.self))
  }

  mutating func words(_ count: Int) throws(Problem) -> [Int64] {
    guard count >= 0, count <= left / 8 else { throw damage }
    // Here and below: all threads share the array of nothing, into which the call that follows would write its count.
    guard count > 0 else { return [] }
    let source = try slice(8 * count)
    return [Int64](unsafeUninitializedCapacity: count) { words, filled in
      for index in 0..<count {
        words.initializeElement(
          at: index, to: Int64(littleEndian: source.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)))
      }
      filled = count
    }
  }

  mutating func doubles(_ count: Int) throws(Problem) -> [Double] {
    guard count >= 0, count <= left / 8 else { throw damage }
    guard count > 0 else { return [] }
    let source = try slice(8 * count)
    return [Double](unsafeUninitializedCapacity: count) { doubles, filled in
      for index in 0..<count {
        let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        doubles.initializeElement(at: index, to: Double(bitPattern: word))
      }
      filled = count
    }
  }

  mutating func end() throws(Problem) {
    if left > 0 { throw damage }
  }
}
