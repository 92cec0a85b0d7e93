// The pool as the API shows it: devices with their holders, what runs, and who waits for what.

import Foundation
import MartletModel
import MartletScheduling
import OrderedCollections

/// The engine's memory at a moment, put into words for somebody.
struct PoolView: Sendable {
  let core: Core
  let now: Timestamp
  /// Of runs that it may not see only what they take is told.
  let access: Access
  /// The newest of each device that a driver tells of.
  let readings: [Int: DeviceReading]
  /// With the best that is known of how long everybody takes.
  private let pool: DevicePool

  init(core: Core, now: Timestamp, access: Access, readings: [Int: DeviceReading]) {
    self.core = core
    self.readings = readings
    self.now = now
    self.access = access
    pool = core.scheduler.foreseen
  }

  private var jobs: Roster<JobID, Job> { core.scheduler.jobs }

  // MARK: - All of it

  /// - Parameters:
  ///   - run: only this one in what runs and waits.
  ///   - sweep: likewise.
  ///   - limit: entries of the queue; nil: all.
  func json(run: PublicID? = nil, sweep: PublicID? = nil, limit: Int? = nil) -> JSONValue {
    func isWanted(_ id: JobID) -> Bool {
      if let sweep, id.sweep != sweep { return false }
      return run == nil || core.attempt(of: id)?.run == run
    }
    let (queue, length) = queue(limit: limit, isWanted)
    return [
      "host": .string(core.host), "devices": .array(pool.devices.map(device)),
      "running": .array(pool.holdings.keys.filter(isWanted).compactMap(holding)),
      "queue": .array(queue), "queue_length": .int(Int64(length)), "policy": .object(pool.policy.json),
      "totals": totals,
    ]
  }

  private var totals: JSONValue {
    let free = pool.devices.count {
      $0.standing == .open && $0.holders.isEmpty && !$0.isForeign(under: pool.policy)
    }
    let waiting = jobs.values.count { !$0.state.holds }
    return [
      "devices": .int(Int64(pool.devices.count)), "free": .int(Int64(free)),
      "slots": .int(pool.devices.reduce(0) { $0 + Int64($1.device.slots) }),
      "used_slots": .int(pool.devices.reduce(0) { $0 + Int64($1.usedSlots) }),
      "running": .int(Int64(pool.holdings.count)), "waiting": .int(Int64(waiting)),
      "cpu_slots": [
        "limit": JSONValue(pool.policy.cpuSlots), "used": .int(Int64(pool.usedCPUSlots)),
      ],
      "memory": ["limit": pool.policy.memory.map(JSONValue.int) ?? .null, "reserved": .int(pool.usedMemory)],
      "gpu_memory": [
        "limit": pool.policy.deviceMemory.map(JSONValue.int) ?? .null,
        "reserved": .int(pool.usedDeviceMemory),
      ],
    ]
  }

  // MARK: - Devices

  /// The device of this index; null when there is none.
  func device(_ index: Int) -> JSONValue {
    pool.devices.first { $0.device.index == index }.map(device) ?? .null
  }

  private func device(_ pooled: PooledDevice) -> JSONValue {
    let device = pooled.device
    return [
      "index": .int(Int64(device.index)), "kind": .string(device.kind.rawValue),
      "name": .string(device.name), "host": .string(device.host.isEmpty ? core.host : device.host),
      "memory": device.memory.map(JSONValue.int) ?? .null, "slots": .int(Int64(device.slots)),
      "used_slots": .int(Int64(pooled.usedSlots)), "reserved_memory": .int(pooled.reserved),
      "standing": .string(pooled.standing.word), "standing_reason": JSONValue(pooled.standing.reason),
      "foreign": .bool(pooled.isForeign(under: pool.policy)),
      "reading": (readings[device.index] ?? pooled.reading)?.json ?? .null,
      "holders": .array(pooled.holders.compactMap(holding)), "free_at": freeAt(pooled),
    ]
  }

  /// When the last of its holders is expected to have left; null when nobody holds it, or nobody knows.
  private func freeAt(_ pooled: PooledDevice) -> JSONValue {
    let ends = pooled.holders.map { pool.holdings[$0].flatMap(end) }
    let known = ends.compactMap(\.self)
    return known.count == ends.count ? JSONValue(known.max()) : .null
  }

  private func end(of holding: DevicePool.Holding) -> Timestamp? {
    holding.expected.map { Timestamp(seconds: (holding.since + $0).rounded()) }
  }

  private func holding(_ id: JobID) -> JSONValue? {
    guard let holding = pool.holdings[id] else { return nil }
    let job = jobs[id]
    var members = subject(id)
    members["state"] = .string(core.attempt(of: id)?.state.rawValue ?? "running")
    members["asked"] = JSONValue(job?.ask?.rawValue)
    members["devices"] = .array(holding.devices.map { .int(Int64($0)) })
    members["needs"] = holding.needs.json
    members["priority"] = .int(Int64(job?.priority ?? 0))
    members["since"] = JSONValue(Timestamp(seconds: holding.since))
    members["expected_end"] = JSONValue(end(of: holding))
    return .object(members)
  }

  /// Which run it is, for those who may see it.
  private func subject(_ id: JobID) -> JSONObject {
    guard let attempt = core.attempt(of: id),
      access.project == nil || access.project == attempt.project,
      access.run == nil || access.run == attempt.run
    else {
      return ["run": nil, "run_name": nil, "project": nil, "sweep": nil, "trial": nil, "attempt": nil]
    }
    return [
      "run": .string(attempt.run.rawValue), "run_name": .string(attempt.runName),
      "project": .string(attempt.project), "sweep": JSONValue(attempt.sweep?.rawValue),
      "trial": JSONValue(attempt.trial), "attempt": .int(Int64(attempt.number)),
    ]
  }

  // MARK: - The queue

  /// The first entries, and how many there are.
  private func queue(limit: Int?, _ isWanted: (JobID) -> Bool) -> (entries: [JSONValue], length: Int) {
    var (entries, length): ([JSONValue], Int) = ([], 0)
    func add(_ job: Job, _ wait: Wait?) {
      length += 1
      if entries.count < limit ?? .max { entries.append(entry(job, wait)) }
    }
    let waits = pool.waits(at: now.seconds) + core.scheduler.heldBack(at: now.seconds)
    for wait in waits where isWanted(wait.request.job) {
      if let job = jobs[wait.request.job] { add(job, wait) }
    }
    for job in jobs.values where isWanted(job.id) {
      if case .pausing = job.state { add(job, nil) }
    }
    return (entries, length)
  }

  /// The entry of a run that waits or has just begun; null when it is neither.
  func entry(of run: PublicID) -> JSONValue {
    guard let id = core.attempts[run]?.job, let job = jobs[id] else { return .null }
    let waits = pool.waits(at: now.seconds) + core.scheduler.heldBack(at: now.seconds)
    return entry(job, waits.first { $0.request.job == id })
  }

  private func entry(_ job: Job, _ wait: Wait?) -> JSONValue {
    var members = subject(job.id)
    let (state, reason, start): (String, String, Timestamp?) =
      switch job.state {
      case .waiting:
        (
          "waiting", wait?.reason ?? "It is its turn.",
          wait?.estimate.map { Timestamp(seconds: (now.seconds + $0).rounded()) }
        )
      case .pausing(let until):
        ("pausing", "It pauses before it is tried again: \(Self.faults(job)).", Timestamp(seconds: until))
      case .starting: ("starting", "It has what it needs, and begins.", nil)
      case .running, .lost: ("running", "It runs.", nil)
      }
    // Who is held back stands in no line.
    members["position"] = JSONValue(wait.flatMap { $0.position > 0 ? $0.position : nil })
    members["needs"] = job.needs.json
    members["priority"] = .int(Int64(job.priority))
    members["state"] = .string(state)
    members["since"] = JSONValue(core.attempt(of: job.id)?.queuedAt)
    members["reason"] = .string(reason)
    members["starts_at"] = JSONValue(start)
    return .object(members)
  }

  /// "forgiven so far: failure 2 of 3".
  private static func faults(_ job: Job) -> String {
    let parts = Fault.allCases.compactMap { fault in
      job.retries[fault].map { "\(fault.rawValue) \($0) of \(max($0, job.policy.limits[fault] ?? 0))" }
    }
    return parts.isEmpty ? "it went wrong" : "forgiven so far: \(parts.joined(separator: ", "))"
  }
}
