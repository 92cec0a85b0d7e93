// How many trials a sweep has at a time, where it finds that out itself.

import Foundation
import MartletModel
import OrderedCollections

/// What a machine has left.
package struct Headroom: Sendable, Hashable {
  /// The busy part of the processors' time since they were looked at before, 0...1.
  package var cpu: Double
  /// Threads that want a processor, for each processor there is.
  package var load: Double
  /// Bytes of memory.
  package var freeMemory: Int64
  package var memory: Int64

  package init(cpu: Double, load: Double, freeMemory: Int64, memory: Int64) {
    self.cpu = cpu
    self.load = load
    self.freeMemory = freeMemory
    self.memory = memory
  }

  var freeShare: Double { memory > 0 ? Double(freeMemory) / Double(memory) : 1 }

  /// Why there should be fewer trials at a time; nil: there is no need.
  var pressure: String? {
    if freeShare < 0.1 { return "only \(percent(freeShare)) of the memory are free" }
    if load > 2 { return "\(String(format: "%.1f", load)) threads want each processor" }
    return nil
  }

  /// Whether one more trial like `count` others would leave enough. All that is used counts as theirs, so that they
  /// rather seem too large than too small.
  func hasRoom(besides count: Int) -> Bool {
    let each = (memory - freeMemory) / Int64(max(count, 1))
    return cpu < 0.8 && load < 1 && Double(freeMemory - each) >= 0.15 * Double(memory)
  }

  var words: String {
    "\(percent(1 - cpu)) of the processors' time and \(Words.bytes(freeMemory)) of memory are free"
  }

  private func percent(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }
}

extension SweepMachine {
  /// Seconds between two changes: what the last one did has to be seen first.
  private static let pause = 10.0
  /// Seconds after the window was narrowed before it is widened.
  private static let longPause = 60.0

  mutating func adapt(to headroom: Headroom, hasRoom: Bool, at now: Double) -> [Action] {
    guard progress.isAutomatic, state == .running || state == .draining else { return [] }
    // A clock that was put back must not keep it from ever changing again.
    let since = progress.windowChangedAt.map { now >= $0 ? now - $0 : .infinity } ?? .infinity
    if let pressure = headroom.pressure {
      let count = min(maxParallel, openTrials.count) - 1
      guard count >= 1, since >= Self.pause else { return [] }
      return setWindow(count, "Lowered from \(maxParallel) to \(count): \(pressure).", at: now)
    }
    let count = maxParallel + 1
    guard since >= (progress.hasNarrowed ? Self.longPause : Self.pause), count <= progress.ceiling ?? .max,
      // There is something that would begin, all that may run does, and what that takes is known.
      hasRoom, state == .running, !progress.isExhausted, trials.count < limits.trials ?? .max,
      openTrials.count >= maxParallel, openTrials.allSatisfy({ trials[$0].state == .running }),
      headroom.hasRoom(besides: openTrials.count)
    else { return [] }
    return setWindow(count, "Raised from \(maxParallel) to \(count): \(headroom.words).", at: now) + fill()
  }

  /// Out of memory beside others: fewer at a time from here on.
  mutating func narrow(after trial: Int, running: Int, at now: Double) -> [Action] {
    let count = min(maxParallel, running) - 1
    guard count >= 1 else { return [] }
    progress.ceiling = min(progress.ceiling ?? .max, count)
    return setWindow(
      count,
      "Lowered from \(maxParallel) to \(count): trial \(trial) ran out of memory beside \(running - 1) "
        + "\(running == 2 ? "other" : "others").", at: now)
  }

  private mutating func setWindow(_ count: Int, _ reason: String, at now: Double) -> [Action] {
    progress.hasNarrowed = count < maxParallel
    maxParallel = count
    (progress.windowReason, progress.windowChangedAt) = (reason, now)
    return [.setMaxParallel(count, reason: reason)]
  }
}
