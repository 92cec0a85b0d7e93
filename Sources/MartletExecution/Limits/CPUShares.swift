// Which processors attempts are bound to, where the kernel cannot count their time.

import Foundation

/// Who is bound to which processors.
struct CPUShares: Sendable {
  /// Those that there are to share, in their order.
  let allowed: [Int]
  private var held: [String: [Int]] = [:]

  init(allowed: [Int]) { self.allowed = allowed }

  /// So many processors, or all: those that the fewest of the others are bound to, of equals the first.
  mutating func take(_ count: Int, for id: String) -> [Int] {
    var users: [Int: Int] = [:]
    for (other, cpus) in held where other != id {
      for cpu in cpus { users[cpu, default: 0] += 1 }
    }
    let order = allowed.sorted { (users[$0, default: 0], $0) < (users[$1, default: 0], $1) }
    let chosen = order.prefix(max(1, count)).sorted()
    held[id] = chosen
    return chosen
  }

  /// As it was chosen by a server before this one.
  mutating func keep(_ cpus: [Int], for id: String) {
    if !cpus.isEmpty { held[id] = cpus }
  }

  mutating func give(_ id: String) { held[id] = nil }

  /// Those that this process may run on: `Cpus_allowed_list` of proc_pid_status(5), like `0-3,8`.
  static var own: [Int] {
    let key = "Cpus_allowed_list:"
    let line = (ProcText.read("/proc/self/status") ?? "").split(separator: "\n").first { $0.hasPrefix(key) }
    return list(line.map { $0.dropFirst(key.count).trimmingCharacters(in: .whitespaces) } ?? "")
  }

  static func list(_ text: String) -> [Int] {
    text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 65_536 else { return [] }
      return Array(first...last)
    }
  }
}
