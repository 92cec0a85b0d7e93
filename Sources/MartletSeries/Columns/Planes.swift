// Words as planes of bytes: the first bytes of all words, then the second ones, and so on.

/// Bytes of equal weight side by side: those that hardly change (exponents, high digits) compress to almost nothing, those that
/// are noise do not get into their way.
enum Planes {
  /// Appends the `width` lowest bytes of each word, the lowest first.
  ///
  /// - Parameter width: 1…8.
  static func append(_ words: [UInt64], width: Int, to out: inout [UInt8]) {
    let count = words.count
    let start = out.count
    out.append(contentsOf: repeatElement(0, count: width * count))
    words.withUnsafeBufferPointer { words in
      out.withUnsafeMutableBufferPointer { out in
        for plane in 0..<width {
          let shift = UInt64(8 * plane)
          let target = UnsafeMutableBufferPointer(rebasing: out[(start + plane * count)...].prefix(count))
          for index in 0..<count { target[index] = UInt8(truncatingIfNeeded: words[index] &>> shift) }
        }
      }
    }
  }

  /// - Parameter bytes: `width` · `count` of them.
  static func words(_ bytes: UnsafeRawBufferPointer, width: Int, count: Int) -> [UInt64] {
    guard count > 0 else { return [] }
    return [UInt64](unsafeUninitializedCapacity: count) { words, filled in
      words.initialize(repeating: 0)
      for plane in 0..<width {
        let shift = UInt64(8 * plane)
        let source = UnsafeRawBufferPointer(rebasing: bytes[(plane * count)...].prefix(count))
        for index in 0..<count { words[index] |= UInt64(source[index]) &<< shift }
      }
      filled = count
    }
  }

  /// Bytes that the largest of these words needs, at least 1.
  static func width(of words: [UInt64]) -> Int {
    max(1, (64 - words.reduce(0, |).leadingZeroBitCount + 7) / 8)
  }
}
