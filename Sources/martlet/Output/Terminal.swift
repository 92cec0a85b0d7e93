// Where output goes: descriptors written with write(2), and what is known about the terminal behind them.

import Foundation

/// The reader of standard output went away; the command ends without a word.
struct OutputClosed: Error {}

enum Terminal {
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// Columns of the terminal behind standard output; nil when it is none, and lines may be of any length.
  static var outputWidth: Int? { outputIsTerminal ? width(of: STDOUT_FILENO) : nil }

  /// Columns of the terminal behind `descriptor`; 80 when it does not say.
  static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return CallerEnvironment.current["COLUMNS"].flatMap { Int($0) } ?? 80
  }

  /// Whether standard output takes colours (https://no-color.org).
  static var usesColor: Bool {
    let environment = CallerEnvironment.current
    return outputIsTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// Writes all of `text`.
  ///
  /// - Throws: `OutputClosed` when nobody reads any more.
  static func write(_ text: String, to descriptor: Int32) throws(OutputClosed) {
    try write(Array(text.utf8), to: descriptor)
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(OutputClosed) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, -1)
      } else if errno != EINTR {
        throw OutputClosed()
      }
    }
  }

  /// A line to standard output.
  static func say(_ line: String) throws(OutputClosed) { try write(line + "\n", to: STDOUT_FILENO) }

  /// A line to standard error. When that is closed too there is nowhere left to say so.
  static func complain(_ line: String) { try? write(line + "\n", to: STDERR_FILENO) }

  /// Text for one line of a terminal: control characters, which could move the cursor or change its colours, made
  /// visible. Names and messages come from whoever logged them.
  static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      scalars.append(scalar == "\n" || scalar == "\t" ? " " : isControl(scalar) ? "\u{FFFD}" : scalar)
    }
    return String(scalars)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
      || (0x2066...0x2069).contains(scalar.value)
  }
}

/// Colours, by meaning.
enum Style: String, Sendable {
  case good = "32"
  case bad = "31"
  case warning = "33"
  case active = "36"
  case faint = "2"
  case strong = "1"

  func paint(_ text: String, if isColored: Bool) -> String {
    isColored && !text.isEmpty ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }

  /// The colour of a state of a run, attempt, trial or sweep.
  init?(state: String) {
    switch state {
    case "finished", "complete", "ok": self = .good
    case "failed", "crashed", "killed", "timedOut", "error": self = .bad
    case "lost", "stopped", "cancelled", "preempted", "pruned", "draining", "paused", "warning":
      self = .warning
    case "running", "starting": self = .active
    case "queued", "pending", "waiting": self = .faint
    default: return nil
    }
  }
}
