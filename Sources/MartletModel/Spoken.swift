// Numbers as people say them, the same in the command line and in what the server answers.

import Foundation

package enum Spoken {
  /// "4.2 s", "3 min 10 s", "1 h 5 min", "2 d 3 h"; empty for what is no duration.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "" }
    let whole = Int(min(seconds, 1e12).rounded())
    switch seconds {
    case ..<1: return String(format: "%.2f s", seconds)
    case ..<10: return String(format: "%.1f s", seconds)
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(whole % 60) s"
    case ..<86_400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
    default: return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
    }
  }

  /// "1 trial", "3 trials".
  package static func count(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
