// Numbers of bytes as people write them.

import Foundation

/// `24GB`, `1.5GiB`, `512 MB`, or a plain number of bytes.
package enum ByteCount {
  /// Units, smallest first.
  package static let units = ["kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]

  /// Nil: it is no such number, or not between 1 byte and 16 TiB: sums of those never overflow.
  package static func parse(_ text: String) -> Int64? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces)
    guard let number = Double(digits), let factor = unit.isEmpty ? 1 : NeedsRule.units[unit] else {
      return nil
    }
    let bytes = (number * factor).rounded(.up)
    return bytes >= 1 && bytes <= 0x1p44 ? Int64(bytes) : nil
  }
}
