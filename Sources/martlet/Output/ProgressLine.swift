// One line on a terminal's standard error that says how far something is; nothing where there is no terminal.

import Foundation

struct ProgressLine {
  private let isShown = Terminal.errorIsTerminal
  private var isDrawn = false
  private var nextDraw = ContinuousClock.now

  /// Lines a second at most.
  private static let rate = 5

  /// Shows `text` in place of the line before; not more often than is good for a terminal.
  mutating func draw(_ text: @autoclosure () -> String) {
    guard isShown, .now >= nextDraw else { return }
    nextDraw = .now + .milliseconds(1000 / Self.rate)
    let line = Table.cut(Terminal.plain(text()), to: Terminal.width(of: STDERR_FILENO) - 1)
    try? Terminal.write("\r\(line)\u{1B}[K", to: STDERR_FILENO)
    isDrawn = true
  }

  /// Takes the line away.
  mutating func clear() {
    guard isDrawn else { return }
    try? Terminal.write("\r\u{1B}[K", to: STDERR_FILENO)
    isDrawn = false
  }

  /// Says something on standard error that stays.
  mutating func complain(_ line: String) {
    clear()
    Terminal.complain(line)
  }
}
