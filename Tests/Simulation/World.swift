// The simulated machine: supervisors, commands, the records that they leave. It outlives servers.

import MartletScheduling
import MartletSearch

/// One attempt, as its directory and the process table show it.
struct SimulatedProcess {
  enum Phase: Equatable {
    /// A supervisor was started and has not taken its lock.
    case spawned
    /// It has written that it began.
    case begun
    case running
    /// Its supervisor was killed; the command goes on.
    case orphaned
    /// It wrote its exit record.
    case over(JobEnd)
    /// Nothing runs, and nobody wrote how it ended.
    case gone
    /// It may not begin any more.
    case revoked
  }

  var job: JobID
  var number: Int
  var needs: Needs
  var devices: [Int]
  var phase: Phase
  var asked = false
}

/// The key of a process: no two attempts of a job have one number.
struct AttemptKey: Hashable {
  var job: JobID
  var number: Int
}

/// What runs, and who really uses which device.
struct World {
  var processes: [AttemptKey: SimulatedProcess] = [:]
  /// Slots and memory in use by commands that live, or are about to.
  var slots: [Int: Int] = [:]
  var memory: [Int: Int64] = [:]
  /// Attempts of each job that live.
  var alive: [JobID: Int] = [:]
  /// Commands that were started, by job, and how often one succeeded.
  var successes: [JobID: Int] = [:]
  var starts = 0
  /// What trials have logged, by job.
  var reports: [JobID: [SweepMachine.Report]] = [:]

  func isAlive(_ phase: SimulatedProcess.Phase) -> Bool {
    switch phase {
    case .spawned, .begun, .running, .orphaned: true
    case .over, .gone, .revoked: false
    }
  }

  mutating func spawn(_ process: SimulatedProcess) {
    starts += 1
    processes[AttemptKey(job: process.job, number: process.number)] = process
    for device in process.devices {
      slots[device, default: 0] += process.needs.deviceSlots
      memory[device, default: 0] += process.needs.deviceMemory ?? 0
    }
    alive[process.job, default: 0] += 1
  }

  /// Moves a process on, and takes it off its devices when it is over.
  mutating func set(_ key: AttemptKey, _ phase: SimulatedProcess.Phase) {
    guard let process = processes[key], isAlive(process.phase) else { return }
    processes[key]?.phase = phase
    guard !isAlive(phase) else { return }
    for device in process.devices {
      slots[device, default: 0] -= process.needs.deviceSlots
      memory[device, default: 0] -= process.needs.deviceMemory ?? 0
    }
    alive[process.job, default: 0] -= 1
    if case .over(let end) = phase, case .success = end.kind { successes[process.job, default: 0] += 1 }
  }

  /// Whether two commands were put on one slot, or more memory was given than a device has.
  func overuse(of devices: [Device]) -> String? {
    for device in devices {
      if let used = slots[device.index], used > device.slots {
        return "device \(device.index) has \(device.slots) slots and \(used) in use"
      }
      if let size = device.memory, let used = memory[device.index], used > size {
        return "device \(device.index) has less memory than was given"
      }
    }
    return nil
  }

  /// The machine is switched off: nothing runs afterwards.
  mutating func switchOff() {
    for (key, process) in processes where isAlive(process.phase) {
      set(key, process.phase == .spawned ? .revoked : .gone)
    }
  }
}
