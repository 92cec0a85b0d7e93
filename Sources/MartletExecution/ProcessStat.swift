// What /proc says of a process.

import Foundation

/// The fields of `/proc/PID/stat` (proc_pid_stat(5)) by which processes are told apart and found.
struct ProcessStat: Sendable, Hashable {
  /// Field 3.
  var state: Character
  /// Field 4.
  var parent: Int32
  /// Its process group: field 5.
  var group: Int32
  /// Clock ticks since boot: field 22.
  var start: UInt64

  /// It has ended, and waits for its parent to hear of it.
  var hasEnded: Bool { "ZXx".contains(state) }

  /// Nil: there is no such process.
  static func read(_ pid: Int32) -> ProcessStat? {
    (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)).flatMap(ProcessStat.init)
  }

  init?(_ text: String) {
    // The name before the last parenthesis may hold anything.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
      let group = Int32(fields[2]), let start = UInt64(fields[19])
    else { return nil }
    self.state = state
    self.parent = parent
    self.group = group
    self.start = start
  }
}
