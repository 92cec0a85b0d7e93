// Why runs are not parallel, where devices are, what is left over: what people ask first when something seems wrong.

import Foundation
import Glibc
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections
import Synchronization

/// One thing that was looked at.
package struct EngineCheck: Sendable, Hashable {
  package enum Level: String, Sendable { case ok, warning, error }

  package var name: String
  package var level: Level
  /// What is so, and why.
  package var message: String
  /// What to do about it.
  package var hint: String?

  init(_ name: String, _ level: Level, _ message: String, hint: String? = nil) {
    self.name = name
    self.level = level
    self.message = message
    self.hint = hint
  }
}

/// The engine as it was at one moment; pure.
struct Diagnosis: Sendable {
  var core: Core
  /// By device.
  var readings: [Int: DeviceReading] = [:]
  /// How many devices drivers tell of, whatever was declared.
  var told = 0
  /// Processes that want a processor, over the last minute, and how many processors there are.
  var load = 0.0
  var cores = 1
  /// Seconds since 1970.
  var now: Double

  private var pool: DevicePool { core.scheduler.pool }

  private func name(_ job: JobID) -> String { core.attempt(of: job)?.runName ?? "\(job)" }

  // MARK: - No speed-up

  /// Whether runs are at work side by side, and why not.
  var parallelism: EngineCheck {
    let label = "parallel runs"
    let running = core.scheduler.jobs.values.count { $0.state.holds }
    let waits = pool.waits(at: now)
    for (id, sweep) in core.scheduler.sweeps {
      let title = core.sweeps[id]?.name ?? id.rawValue
      if sweep.machine.state == .paused {
        return EngineCheck(
          label, .warning, "Sweep '\(title)' is paused: none of its trials begins.",
          hint: "martlet sweep resume \(id.rawValue) lets it go on.")
      }
      if sweep.machine.maxParallel == 1 {
        return EngineCheck(
          label, .warning, "Sweep '\(title)' runs one trial at a time: its max_parallel is 1.",
          hint: "Raise max_parallel in its file, or: martlet sweep set \(id.rawValue) --max-parallel 2")
      }
      let devices = core.scheduler.jobs.values.filter { $0.id.sweep == id }.map(\.needs.devices).max() ?? 0
      if devices > 0, devices * 2 > pool.devices.count, pool.devices.count > 1 {
        return EngineCheck(
          label, .warning,
          "A trial of sweep '\(title)' needs \(devices) of \(pool.devices.count) devices: no two fit at a time.",
          hint: "Lower resources.gpus in its file, where a trial can do with fewer.")
      }
    }
    if let first = waits.first, running == 0 {
      return EngineCheck(
        label, .warning, "Nothing runs, and \(waits.count) wait. \(name(first.request.job)): \(first.reason)",
        hint: "martlet pool shows devices and the whole line.")
    }
    if running > 1, load > 1.5 * Double(cores) {
      return EngineCheck(
        label, .warning,
        "\(running) runs share processors that are saturated: \(String(format: "%.1f", load)) processes want \(cores).",
        hint: "More runs at a time only slow each other down: martlet monitor recommends a number.")
    }
    let words =
      waits.first.map { "\(waits.count) wait; \(name($0.request.job)): \($0.reason)" } ?? "Nobody waits."
    return EngineCheck(label, .ok, "\(running) at work. \(words)")
  }

  // MARK: - Devices

  /// Whether devices can be given to anybody.
  var allocation: EngineCheck {
    let label = "device pool"
    let devices = pool.devices
    guard !devices.isEmpty else {
      guard told > 0 else {
        return EngineCheck(label, .ok, "There are no devices: every run uses processors alone.")
      }
      return EngineCheck(
        label, .warning, "Drivers tell of \(told), and the server shares none of them.",
        hint: "Restart it with --devices auto, and look at CUDA_VISIBLE_DEVICES where it is started.")
    }
    if let gone = devices.first(where: { $0.absence != nil }), let reason = gone.absence {
      return EngineCheck(
        label, .error, "Device \(gone.device.index) is given to nobody: \(reason)",
        hint: "Ask the driver: nvidia-smi must list it. Runs that need it wait until it is back.")
    }
    let declared = devices.filter { $0.device.kind == .declared }
    if !declared.isEmpty, told > 0, told < declared.count {
      return EngineCheck(
        label, .error,
        "\(declared.count) devices are declared, and drivers tell of \(told): runs on the others find no GPU.",
        hint: "Restart the server with --devices auto.")
    }
    if let out = devices.first(where: { $0.standing != .open }), let reason = out.standing.reason {
      return EngineCheck(
        label, .warning, "Device \(out.device.index) is out of service: \(reason)",
        hint: "martlet pool uncordon \(out.device.index) gives it to runs again.")
    }
    if let foreign = devices.first(where: { $0.isForeign(under: pool.policy) }) {
      let busy = foreign.reading?.utilization.map { ", \(Int(100 * $0)) % busy" } ?? ""
      return EngineCheck(
        label, .warning,
        "Device \(foreign.device.index) is used by processes that are not Martlet's\(busy): it is left alone.",
        hint:
          "nvidia-smi shows whose they are. --foreign-utilization and --foreign-free-memory set the bounds.")
    }
    let used = devices.count { !$0.holders.isEmpty }
    return EngineCheck(label, .ok, "\(used) of \(devices.count) are held, all are in service.")
  }

  /// Seconds that a run may take to load its data before its devices count as idle.
  private static let loading = 120.0

  /// Devices that somebody holds and nobody uses.
  var idleDevices: EngineCheck {
    let label = "idle devices"
    for device in pool.devices {
      guard let holder = device.holders.first, let reading = readings[device.device.index],
        let busy = reading.utilization, busy < 0.05, let used = reading.used, used < 500_000_000,
        let holding = pool.holdings[holder], now - holding.since > Self.loading
      else { continue }
      let minutes = Int((now - holding.since) / 60)
      return EngineCheck(
        label, .warning,
        "Device \(device.device.index) is held by \(name(holder)) for \(minutes) min, and idle: \(Int(100 * busy)) % busy, nothing in its memory.",
        hint:
          "The program may not use CUDA_VISIBLE_DEVICES, or may not need a device: lower its resources.gpus.")
    }
    let watched = readings.count
    return EngineCheck(
      label, .ok,
      watched == 0
        ? "No driver tells what devices do." : "No device is held and idle; drivers tell of \(watched).")
  }

  // MARK: - Leaks

  /// What ended attempts have left behind.
  ///
  /// - Parameter processes: all that attempts of this data directory started.
  func leaks(_ processes: [AttemptProcess]) -> EngineCheck {
    let label = "leaks"
    for device in pool.devices {
      if let holder = device.holders.first(where: { core.attempt(of: $0)?.state.isEnd ?? true }) {
        return EngineCheck(
          label, .error, "Device \(device.device.index) is held by \(name(holder)), which has ended.",
          hint: "Restart the server: it derives anew who holds what. Then report it.")
      }
    }
    let left = leftovers(of: processes)
    guard let first = left.first else {
      return EngineCheck(label, .ok, "Nothing of an attempt that has ended runs or holds a device.")
    }
    let rest = left.count > 1 ? ", and \(left.count - 1) more" : ""
    return EngineCheck(
      label, .warning,
      "Process \(first.pid) (\(first.name)) was started by attempt \(first.attempt) of run \(first.run), which has ended\(rest).",
      hint: "If nobody needs it: kill \(left.prefix(10).map { String($0.pid) }.joined(separator: " "))")
  }

  /// Those whose attempts have ended.
  func leftovers(of processes: [AttemptProcess]) -> [AttemptProcess] {
    processes.filter { process in
      guard let run = PublicID(rawValue: process.run), let open = core.attempts[run] else { return true }
      return open.number != process.attempt || open.state == .queued
    }
  }
}

extension Engine {
  /// Seconds that a write may wait before the database counts as locked.
  private static let writePatience = Duration.seconds(5)

  /// What people ask first when runs are not parallel, devices are not used, or the database is locked.
  package func findings() async throws -> [EngineCheck] {
    let clock = SystemClock()
    var diagnosis = Diagnosis(core: await conductor.core, now: clock.now.seconds)
    diagnosis.readings = await poolReadings()
    diagnosis.told = await conductor.deviceWatch.count()
    var loads = [0.0, 0.0, 0.0]
    if getloadavg(&loads, 3) > 0 { diagnosis.load = loads[0] }
    diagnosis.cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    return [
      diagnosis.parallelism, diagnosis.allocation, diagnosis.idleDevices, try await leaks(),
      try await databaseLock(),
    ]
  }

  /// An attempt that has just ended may be taken down still: what counts is what is there a second later, too.
  private func leaks() async throws -> EngineCheck {
    let path = data.path
    func look() async throws -> (Diagnosis, [AttemptProcess]) {
      let processes = try await blocking { Leftovers.processes(data: path) }
      return (Diagnosis(core: await conductor.core, now: 0), processes)
    }
    let (before, first) = try await look()
    let suspects = before.leftovers(of: first)
    guard !suspects.isEmpty else { return before.leaks([]) }
    // A cancelled sleep only looks earlier.
    try? await Task.sleep(for: .seconds(1))
    let (after, second) = try await look()
    return after.leaks(second.filter(suspects.contains))
  }

  /// Whether a write waits, and for whom.
  private func databaseLock() async throws -> EngineCheck {
    let label = "database lock"
    let path = data.database
    let others = try await blocking { Leftovers.openers(of: path) }
    let names = others.map { "\($0.name), process \($0.pid)" }.joined(separator: "; ")
    let store = store
    let start = ContinuousClock.now
    let patience = Self.writePatience
    // A write that waits cannot be cancelled: whoever is first is heard.
    let result: Result<Bool, any Error> = await withCheckedContinuation { continuation in
      let first = FirstAnswer(continuation)
      Task { first.give(await Task { try await store.write { _ in true } }.result) }
      Task {
        // It is never cancelled.
        try? await Task.sleep(for: patience)
        first.give(.success(false))
      }
    }
    let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
    let hint =
      others.isEmpty
      ? "Look at the disk: a write waits for it." : "End it, or let it end its transaction: \(names)."
    switch result {
    case .failure(let error):
      return EngineCheck(label, .error, "Nothing can be written: \(error)", hint: hint)
    case .success(false):
      return EngineCheck(label, .error, "A write has waited for \(patience) and waits still.", hint: hint)
    case .success(true):
      if milliseconds >= 1_000 {
        return EngineCheck(label, .warning, "A write waited \(milliseconds) ms.", hint: hint)
      }
      let open = others.isEmpty ? "nobody else has it open" : "it is also open in \(names)"
      return EngineCheck(label, .ok, "A write waited \(milliseconds) ms; \(open).")
    }
  }
}

/// Passes on the first of several answers.
private final class FirstAnswer: Sendable {
  private let asker: Mutex<CheckedContinuation<Result<Bool, any Error>, Never>?>

  init(_ asker: CheckedContinuation<Result<Bool, any Error>, Never>) { self.asker = Mutex(asker) }

  func give(_ answer: Result<Bool, any Error>) {
    let asker = asker.withLock { asker in
      defer { asker = nil }
      return asker
    }
    asker?.resume(returning: answer)
  }
}
