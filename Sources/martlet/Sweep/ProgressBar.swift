// One line at the bottom of the terminal that says how far a sweep is.

import Foundation
import MartletModel

struct ProgressBar {
  private let isShown = Terminal.errorIsTerminal
  private var isDrawn = false
  private let started = ContinuousClock.now
  /// Trials that had ended when this bar was first drawn: their speed was not seen.
  private var endedBefore: Int64?

  /// Takes the line away.
  mutating func clear() {
    guard isDrawn else { return }
    try? Terminal.write("\r\u{1B}[K", to: STDERR_FILENO)
    isDrawn = false
  }

  mutating func draw(_ sweep: JSONValue) {
    guard isShown else { return }
    let before = endedBefore ?? sweep.endedTrials
    endedBefore = before
    let line = Self.line(
      sweep, endedSince: sweep.endedTrials - before, elapsed: .now - started,
      width: Terminal.width(of: STDERR_FILENO) - 1)
    try? Terminal.write("\r\(line)\u{1B}[K", to: STDERR_FILENO)
    isDrawn = true
  }

  /// `██████░░░░  7/16  2 running  1 failed  best 0.0312  32 s left`
  static func line(_ sweep: JSONValue, endedSince: Int64, elapsed: Duration, width: Int) -> String {
    let ended = sweep.endedTrials
    var words: [String] = []
    if let budget = sweep["budget"]?.int, budget > 0 {
      let cells = max(8, min(30, width / 4))
      let full = Int(Double(cells) * min(1, Double(ended) / Double(budget)))
      words.append(String(repeating: "█", count: full) + String(repeating: "░", count: cells - full))
      words.append("\(ended)/\(budget)")
    } else {
      words.append("\(ended) ended")
    }
    words.append("\(sweep.trials(.running)) running")
    if sweep.trials(.failed) > 0 { words.append("\(sweep.trials(.failed)) failed") }
    if let best = sweep["best"]?["objective"]?.double { words.append("best \(Words.number(best))") }
    if let budget = sweep["budget"]?.int, endedSince > 0, budget > ended {
      let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
      words.append("\(Words.duration(seconds / Double(endedSince) * Double(budget - ended))) left")
    }
    if sweep.sweepState == .draining { words.append("draining") }
    return Table.cut(words.joined(separator: "  "), to: width)
  }
}
