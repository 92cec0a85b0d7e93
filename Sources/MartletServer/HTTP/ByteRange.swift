// Pieces of a file, as players of sound and film ask for them.

/// What a `Range` header asks of a file (RFC 9110 §14).
enum ByteRange: Hashable, Sendable {
  /// No range, or one that is not understood: a server may then give the whole.
  case whole
  case part(Range<Int64>)
  /// It begins behind the file's end.
  case unsatisfiable

  /// - Parameters:
  ///   - header: the header's value; nil: it is absent.
  ///   - size: bytes of the file.
  init(_ header: String?, size: Int64) {
    self = .whole
    guard let header, header.lowercased().hasPrefix("bytes=") else { return }
    // Several pieces in one answer would need a form of their own (multipart/byteranges); nobody plays that.
    let ends = header.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
      .map { $0.filter { $0 != " " } }
    guard ends.count == 2, ends.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }) else { return }
    // Beyond Int64 is beyond every file.
    let numbers = ends.map { $0.isEmpty ? nil : Int64($0) ?? .max }
    switch (numbers[0], numbers[1]) {
    case (nil, nil): return
    case (nil, let count?):
      self = count == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - min(count, size))..<size)
    case (let first?, let last):
      if let last, last < first { return }
      self = first >= size ? .unsatisfiable : .part(first..<(min(last ?? .max, size - 1) + 1))
    }
  }
}
