// What this machine has left, from one look to the next: processors' time and memory, within this process's own limits.

import Foundation

/// Remembers the last look, since how busy processors are is told by two.
package struct MachineWatch: Sendable {
  /// What is left.
  package struct Left: Sendable, Hashable {
    /// The busy part of all processors' time since the last look, 0...1.
    package var cpu: Double
    /// The load average of the last minute, for each processor.
    package var load: Double
    /// Bytes.
    package var freeMemory: Int64
    package var memory: Int64
  }

  private let root: String
  private let processors: Int
  private var before: MachineReading?

  /// - Parameters:
  ///   - root: the directory that stands for `/`: tests have their own.
  package init(
    root: String = "", processors: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.root = root
    self.processors = max(1, processors)
  }

  /// Nil for the first look, and where procfs does not say.
  package mutating func look() -> Left? {
    func text(_ path: String) -> String { ProcText.read("\(root)\(path)") ?? "" }
    var reading = MachineReading()
    reading.take(stat: text("/proc/stat"))
    reading.take(meminfo: text("/proc/meminfo"))
    defer { before = reading }
    guard let before, reading.allTicks > before.allTicks, reading.memoryBytes > 0 else { return nil }
    let busy = Double(reading.busyTicks - min(reading.busyTicks, before.busyTicks))
    let average = text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0
    var memory = Int64(clamping: reading.memoryBytes)
    var free = Int64(clamping: reading.availableBytes)
    if let bound = ControlGroups.memoryBound(root: root), bound.limit < memory {
      (memory, free) = (bound.limit, min(free, bound.room))
    }
    return Left(
      cpu: min(1, busy / Double(reading.allTicks - before.allTicks)), load: average / Double(processors),
      freeMemory: free, memory: memory)
  }
}
