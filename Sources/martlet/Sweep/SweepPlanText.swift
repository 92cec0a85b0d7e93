// `martlet sweep run --dry-run`: what a sweep file would do, as lines.

import Foundation
import MartletModel
import OrderedCollections

/// The plan of a sweep, as the API tells it, as text.
struct SweepPlanText {
  var plan: JSONValue

  var lines: [String] {
    func text(_ value: JSONValue?) -> String { Terminal.plain(value?.string ?? "") }
    var lines = ["Sweep '\(text(plan["name"]))'"]
    lines += (plan["rows"]?.array ?? []).map {
      text($0["name"]).padding(toLength: 12, withPad: " ", startingAt: 0) + text($0["words"])
    }
    lines.append("First points")
    for (number, first) in (plan["points"]?.array ?? []).enumerated() {
      lines.append("  \(number)  \(text(first["name"]))")
      let values = first["params"]?.object ?? [:]
      lines.append(
        "     "
          + values.map { "\(Terminal.plain($0.key))=\(Terminal.plain($0.value.text))" }.joined(separator: " ")
      )
    }
    if let doubt = plan["doubt"]?.string { lines.append("  (\(Terminal.plain(doubt)))") }
    lines.append("Nothing was started.")
    return lines
  }
}
