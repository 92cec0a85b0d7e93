// Which rows have a name, as bits: bit i % 8 of byte i / 8 is row i.

enum Bitmap {
  static func length(of total: Int) -> Int { (total + 7) / 8 }

  /// Appends the bits of `rows`; those behind the last row are 0.
  static func append(_ rows: RowBatch.Rows, of total: Int, to out: inout [UInt8]) {
    switch rows {
    case .all:
      out.append(contentsOf: repeatElement(0xFF, count: total / 8))
      if total % 8 > 0 { out.append(1 << UInt8(total % 8) - 1) }
    case .some(let rows):
      let start = out.count
      out.append(contentsOf: repeatElement(0, count: length(of: total)))
      for row in rows { out[start + Int(row) / 8] |= 1 << UInt8(row % 8) }
    }
  }

  /// - Parameter bytes: `length(of: total)` of them; bits behind the last row count nothing.
  static func rows(_ bytes: UnsafeRawBufferPointer, of total: Int) -> RowBatch.Rows {
    var rows: [Int32] = []
    for (index, byte) in bytes.enumerated() {
      var bits = byte
      while bits != 0 {
        let row = 8 * index + bits.trailingZeroBitCount
        if row < total { rows.append(Int32(row)) }
        bits &= bits - 1
      }
    }
    return RowBatch.Rows(rows, of: total)
  }
}
