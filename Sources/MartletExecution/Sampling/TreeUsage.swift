// What the processes of an attempt use together.

import Foundation
import Glibc

/// One process of this machine, as proc_pid_stat(5) has it.
struct ProcessCounters: Sendable, Hashable {
  var pid: Int32
  var parent: Int32
  var group: Int32
  /// Clock ticks since boot.
  var start: UInt64
  /// Its own time and that of its children that it has waited for; clock ticks.
  var ticks: UInt64
  var childrenTicks: UInt64
  var threads: Int
  var residentPages: UInt64

  /// Nil: it has ended, or the text is none of a process.
  init?(_ text: String, pid: Int32) {
    // The name before the last parenthesis may hold anything.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 21, let state = fields[0].first, !"ZXx".contains(state),
      let parent = Int32(fields[1]), let group = Int32(fields[2]), let start = UInt64(fields[19])
    else { return nil }
    func number(_ index: Int) -> UInt64 { UInt64(fields[index]) ?? 0 }
    (self.pid, self.parent, self.group, self.start) = (pid, parent, group, start)
    ticks = number(11) &+ number(12)
    childrenTicks = number(13) &+ number(14)
    threads = Int(fields[17]) ?? 0
    residentPages = number(21)
  }

  /// All that run now.
  static func all(proc: String = "/proc") -> [ProcessCounters] {
    guard let directory = opendir(proc) else { return [] }
    defer { closedir(directory) }
    var found: [ProcessCounters] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
      }
      guard let pid = Int32(name), let text = ProcText.read("\(proc)/\(name)/stat") else { continue }
      if let counters = ProcessCounters(text, pid: pid) { found.append(counters) }
    }
    return found
  }
}

/// An attempt's processes at one moment, summed up.
struct TreeUsage: Sendable, Hashable {
  var ticks: UInt64 = 0
  var threads = 0
  var residentPages: UInt64 = 0
  var processes = 0

  /// - Parameters:
  ///   - supervisor: orphans come to it, so all of the attempt descends from it. It is not counted itself, but for the
  ///     time of orphans that it has waited for.
  ///   - command: with its group, for when the supervisor is gone.
  static func of(
    supervisor: ProcessIdentity, command: ProcessIdentity?, among all: [ProcessCounters]
  ) -> TreeUsage {
    let (members, isSupervised) = members(supervisor: supervisor, command: command, among: all)
    var usage = TreeUsage()
    for process in all where members.contains(process.pid) {
      if isSupervised, process.pid == supervisor.pid {
        usage.ticks &+= process.childrenTicks
        continue
      }
      usage.ticks &+= process.ticks &+ process.childrenTicks
      usage.threads += process.threads
      usage.residentPages &+= process.residentPages
      usage.processes += 1
    }
    return usage
  }

  /// The processes of an attempt, and whether its supervisor is one of them.
  static func members(
    supervisor: ProcessIdentity, command: ProcessIdentity?, among all: [ProcessCounters]
  ) -> (pids: Set<Int32>, isSupervised: Bool) {
    func isThere(_ process: ProcessIdentity) -> Bool {
      all.contains { $0.pid == process.pid && $0.start == process.start }
    }
    let isSupervised = isThere(supervisor)
    var members: Set<Int32> = []
    if let command, isThere(command) {
      members = Set(all.filter { $0.pid == command.pid || $0.group == command.pid }.map(\.pid))
    }
    if isSupervised { members.insert(supervisor.pid) }
    var before = -1
    while members.count > before {
      before = members.count
      for process in all where members.contains(process.parent) { members.insert(process.pid) }
    }
    return (members, isSupervised)
  }

  static let ticksPerSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
  static let pageBytes = Double(max(1, sysconf(Int32(_SC_PAGESIZE))))

  /// - Parameters:
  ///   - before: nil: nothing is known from before.
  ///   - seconds: since then.
  func values(since before: TreeUsage?, seconds: Double) -> [SampledValue] {
    guard processes > 0 else { return [] }
    var values = [
      SampledValue("process/memory", Double(residentPages) * Self.pageBytes),
      SampledValue("process/threads", Double(threads)),
    ]
    // What the time of a process was that nobody waited for, goes with it.
    if let before, seconds > 0, ticks >= before.ticks {
      values.append(
        SampledValue("process/cpu", 100 * Double(ticks - before.ticks) / Self.ticksPerSecond / seconds))
    }
    return values
  }
}
