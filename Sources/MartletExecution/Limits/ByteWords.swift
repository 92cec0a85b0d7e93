// Numbers of bytes in words.

import Foundation

enum ByteWords {
  /// `2.0 GB`, `512 MB`: decimal units, as in sweep files.
  static func text(_ bytes: Int64) -> String {
    for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where Double(bytes) >= size {
      let value = Double(bytes) / size
      return String(format: value < 99.95 ? "%.1f %@" : "%.0f %@", value, unit)
    }
    return "\(bytes) B"
  }
}
