// Options that are a number of seconds.

import ArgumentParser

extension ParsableArguments {
  /// Refuses what is no time to wait: a `Duration` holds no more than so many seconds, and traps on infinity.
  func check(_ seconds: Double?, of option: String) throws(ValidationError) {
    guard let seconds, !(0...1e9).contains(seconds) else { return }
    throw ValidationError("\(option) must be 0 to 1e9 seconds, not \(seconds).")
  }
}
