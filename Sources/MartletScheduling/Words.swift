// Numbers in sentences.

import Foundation

enum Words {
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// `90 s`, `12 min`, `3.5 h`.
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: String(format: "%.0f s", seconds)
    case ..<7200: String(format: "%.0f min", seconds / 60)
    default: String(format: "%.1f h", seconds / 3600)
    }
  }

  static func bytes(_ bytes: Int64) -> String {
    bytes >= 1 << 30
      ? String(format: "%.1f GiB", Double(bytes) / 0x1p30)
      : String(format: "%.0f MiB", Double(bytes) / 0x1p20)
  }
}
