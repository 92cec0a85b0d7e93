// What this machine and the processes of chosen attempts use, round after round, for whoever watches.

import Foundation
import Glibc

/// One process of an attempt.
package struct ProcessUse: Sendable, Hashable {
  package var pid: Int32
  /// As the kernel calls it.
  package var name: String
  /// Which of the attempts that were asked about it belongs to.
  package var attempt: Int
  /// Percent of one processor since the round before; nil: it was not there then.
  package var cpu: Double?
  /// Bytes in memory.
  package var resident: Double

  package init(pid: Int32, name: String, attempt: Int, cpu: Double?, resident: Double) {
    self.pid = pid
    self.name = name
    self.attempt = attempt
    self.cpu = cpu
    self.resident = resident
  }
}

/// One round.
package struct MonitorRound: Sendable, Hashable {
  /// Percent of all processors since the round before; nil: it is the first.
  package var cpu: Double?
  /// Bytes.
  package var memoryUsed: Double
  package var memoryAll: Double
  package var gpus: [GPUReading]
  package var processes: [ProcessUse]

  package init(
    cpu: Double?, memoryUsed: Double, memoryAll: Double, gpus: [GPUReading], processes: [ProcessUse]
  ) {
    self.cpu = cpu
    self.memoryUsed = memoryUsed
    self.memoryAll = memoryAll
    self.gpus = gpus
    self.processes = processes
  }
}

/// Keeps what the last round saw, so that the next can tell rates. All calls may wait: it belongs to one thread.
package final class HostMonitor {
  private let proc: String
  private let gpus: GPUs
  private var before: (machine: MachineReading, ticks: [Int32: ProcessCounters], at: Double)?

  package init(gpus: GPUs, proc: String = "/proc") {
    self.gpus = gpus
    self.proc = proc
  }

  /// One round.
  ///
  /// - Parameters:
  ///   - attempts: whose processes are told.
  ///   - now: seconds of a steady clock.
  package func round(_ attempts: [AttemptDirectory], at now: Double) -> MonitorRound {
    let machine = MachineReading.read(proc: proc, disks: [])
    let all = ProcessCounters.all(proc: proc)
    let seconds = now - (before?.at ?? now)
    var processes: [ProcessUse] = []
    for (index, attempt) in attempts.enumerated() {
      guard let record = attempt.attemptFile, record.bootID == currentBootID() else { continue }
      let members = TreeUsage.members(supervisor: record.supervisor, command: record.command, among: all).pids
      for process in all where members.contains(process.pid) && process.pid != record.supervisor.pid {
        var cpu: Double?
        if let old = before?.ticks[process.pid], old.start == process.start, seconds > 0,
          process.ticks >= old.ticks
        {
          cpu = 100 * Double(process.ticks - old.ticks) / TreeUsage.ticksPerSecond / seconds
        }
        let name = ProcText.read("\(proc)/\(process.pid)/comm")?.trimmingCharacters(in: .newlines) ?? ""
        processes.append(
          ProcessUse(
            pid: process.pid, name: name, attempt: index, cpu: cpu,
            resident: Double(process.residentPages) * TreeUsage.pageBytes))
      }
    }
    var cpu: Double?
    if let old = before?.machine, machine.allTicks > old.allTicks {
      let busy = Double(machine.busyTicks - min(machine.busyTicks, old.busyTicks))
      cpu = min(100, 100 * busy / Double(machine.allTicks - old.allTicks))
    }
    before = (machine, Dictionary(all.map { ($0.pid, $0) }, uniquingKeysWith: { $1 }), now)
    return MonitorRound(
      cpu: cpu, memoryUsed: Double(machine.memoryBytes - min(machine.memoryBytes, machine.availableBytes)),
      memoryAll: Double(machine.memoryBytes), gpus: gpus.readings(at: now) ?? [], processes: processes)
  }
}
