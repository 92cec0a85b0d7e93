// Numbers in sentences.

import Foundation

enum Words {
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  static func bytes(_ bytes: Int64) -> String {
    bytes >= 1 << 30
      ? String(format: "%.1f GiB", Double(bytes) / 0x1p30)
      : String(format: "%.0f MiB", Double(bytes) / 0x1p20)
  }
}
