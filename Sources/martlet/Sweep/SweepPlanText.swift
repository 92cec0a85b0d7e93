// `martlet sweep run --dry-run`: what a sweep file would do, as lines.

import Foundation
import MartletFormats
import MartletModel
import MartletSearch
import OrderedCollections

/// The plan of a sweep as text.
struct SweepPlanText {
  var plan: SweepPlan

  var lines: [String] {
    var lines = ["Sweep '\(Terminal.plain(plan.title))'"]
    lines += plan.rows.map {
      $0.name.padding(toLength: 12, withPad: " ", startingAt: 0) + Terminal.plain($0.words)
    }
    lines.append("First points")
    for (number, first) in plan.points.enumerated() {
      lines.append("  \(number)  \(Terminal.plain(first.name))")
      lines.append(
        "     "
          + first.point.values.map { "\($0.key)=\(Terminal.plain($0.value.text))" }.joined(separator: " "))
    }
    if let doubt = plan.doubt { lines.append("  (\(doubt))") }
    lines.append("Nothing was started.")
    return lines
  }
}
