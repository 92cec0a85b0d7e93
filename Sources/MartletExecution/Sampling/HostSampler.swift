// One sampler a host: what the machine, its GPUs and the processes of each attempt use.

import Foundation
import Glibc

/// An attempt whose processes are sampled.
package struct SampledAttempt: Sendable {
  package var directory: AttemptDirectory
  /// GPUs that it holds; nil: nothing keeps it from using any.
  package var devices: [Int]?

  package init(directory: AttemptDirectory, devices: [Int]?) {
    (self.directory, self.devices) = (directory, devices)
  }
}

/// Keeps what the last round saw, so that the next can tell rates. All calls may wait: it belongs to one thread.
package final class HostSampler {
  private let proc: String
  private let gpus: GPUs
  private let disks: Set<String>
  /// File systems, each asked on a thread of its own: that of a server that is gone answers never.
  private let mounts: [(path: String, call: LonelyCall<SampledValue?>)]
  private var machine: (reading: MachineReading, at: Double)?
  private var trees: [String: (usage: TreeUsage, at: Double)] = [:]
  /// Who the processes of attempts are: their records change no more once they name the command.
  private var records: [String: AttemptFile] = [:]

  /// - Parameters:
  ///   - paths: the file systems of these are watched, and that of `/`.
  package init(paths: [String], gpus: GPUs, proc: String = "/proc", sys: String = "/sys") {
    self.proc = proc
    self.gpus = gpus
    disks = MachineReading.wholeDisks(in: "\(sys)/block")
    mounts = FileSystems.mounts(
      of: ["/"] + paths, table: ProcText.read("\(proc)/self/mountinfo") ?? ""
    ).map { ($0, LonelyCall("mount")) }
  }

  /// File systems that do not answer.
  package var silentMounts: [String] {
    mounts.filter { $0.call.hangs ?? .zero > Self.patience }.map(\.path)
  }

  private static let patience = Duration.seconds(10)

  /// One round.
  ///
  /// - Parameters:
  ///   - now: seconds of a steady clock.
  ///   - longest: seconds after which what was seen before is too old to tell a rate from.
  /// - Returns: the values of each attempt; empty for one none of whose processes is there.
  package func sample(
    _ attempts: [SampledAttempt], at now: Double, longest: Double
  ) -> [[SampledValue]] {
    let common = machineValues(at: now, longest: longest)
    let gpus = gpus.read(at: now)
    let processes = ProcessCounters.all(proc: proc)
    var seen: [String: (usage: TreeUsage, at: Double)] = [:]
    let result = attempts.map { attempt -> [SampledValue] in
      guard let record = record(of: attempt.directory) else { return [] }
      let usage = TreeUsage.of(supervisor: record.supervisor, command: record.command, among: processes)
      let path = attempt.directory.path
      let before = trees[path].flatMap { now - $0.at <= longest ? $0 : nil }
      let own = usage.values(since: before?.usage, seconds: now - (before?.at ?? now))
      guard !own.isEmpty else { return [] }
      seen[path] = (usage, now)
      let held = gpus.filter { attempt.devices?.contains($0.index) ?? true }
      return common + own + held.flatMap(\.values)
    }
    trees = seen
    let paths = Set(attempts.map(\.directory.path))
    records = records.filter { paths.contains($0.key) }
    return result
  }

  private func machineValues(at now: Double, longest: Double) -> [SampledValue] {
    let reading = MachineReading.read(proc: proc, disks: disks)
    let before = machine.flatMap { now - $0.at <= longest ? $0 : nil }
    machine = (reading, now)
    return reading.values(since: before?.reading, seconds: now - (before?.at ?? now))
      + mounts.compactMap { path, call in
        call.value(within: Self.patience) { FileSystems.used(of: path) } ?? nil
      }
  }

  /// Nil: its supervisor has not begun, or it was another boot's.
  private func record(of directory: AttemptDirectory) -> AttemptFile? {
    if let known = records[directory.path] { return known }
    guard let record = directory.attemptFile, record.bootID == currentBootID() else { return nil }
    if record.command != nil { records[directory.path] = record }
    return record
  }
}
