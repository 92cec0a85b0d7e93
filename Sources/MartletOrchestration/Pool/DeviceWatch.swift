// What drivers say of the devices of a pool: asked while runs need devices, and when somebody looks.

import Dispatch
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletTracking
import OrderedCollections
import Synchronization

/// What was seen of a pool's devices at one moment.
struct DeviceLook: Sendable {
  var readings: [Int: DeviceReading]
  /// Those of which no driver tells, with the reason.
  var absent: [Int: String]
}

/// Asks the host's drivers on a thread of its own.
final class DeviceWatch: Sendable {
  /// Seconds from one look to the next, and after which what was seen is old.
  static let interval = 2.0
  /// What somebody waits for a look; it goes on without him.
  private static let patience = Duration.seconds(3)

  private let gpus: GPUs
  private let clock: any WallClock
  private let queue = DispatchQueue(label: "martlet.devices", qos: .utility)

  /// What drivers told at a moment, in seconds since 1970.
  private struct Told: Sendable {
    var readings: [GPUReading]
    var at: Double
  }

  private struct State {
    var told: Told?
    /// Seconds of the steady clock.
    var at = -Double.infinity
    var isAsking = false
    var waiting: [Int: CheckedContinuation<Told?, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  init(gpus: GPUs, clock: any WallClock) {
    (self.gpus, self.clock) = (gpus, clock)
  }

  /// What was seen last of some devices, if it is not older than `seconds`.
  func recent(_ seconds: Double, of devices: [Device]) -> DeviceLook? {
    let now = clock.uptime
    let told = state.withLock { now - $0.at <= seconds ? $0.told : nil }
    return told.map { seen($0, of: devices) }
  }

  /// Looks now; nil: a driver has not answered in time.
  func look(at devices: [Device]) async -> DeviceLook? { await ask().map { seen($0, of: devices) } }

  /// How many devices drivers tell of, whether they are of a pool or not; waits as `look` does.
  func count() async -> Int { await ask()?.readings.count ?? 0 }

  /// One question at a time: whoever comes while one is under way gets its answer.
  private func ask() async -> Told? {
    await withCheckedContinuation { continuation in
      let (ticket, isFirst) = state.withLock { state in
        state.next += 1
        state.waiting[state.next] = continuation
        defer { state.isAsking = true }
        return (state.next, !state.isAsking)
      }
      let (seconds, _) = Self.patience.components
      DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .seconds(Int(seconds))) { [self] in
        state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: nil)
      }
      if isFirst { queue.async { [self] in askNow() } }
    }
  }

  private func askNow() {
    let told = gpus.readings(at: clock.uptime).map { Told(readings: $0, at: clock.now.seconds) }
    let now = clock.uptime
    let waiting = state.withLock { state in
      if let told { (state.told, state.at) = (told, now) }
      state.isAsking = false
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume(returning: told) }
  }

  private func seen(_ told: Told, of devices: [Device]) -> DeviceLook {
    var look = DeviceLook(readings: [:], absent: [:])
    for device in devices where device.isWatched {
      guard let reading = told.readings.first(where: { $0.index == device.index }), reading.isTold else {
        look.absent[device.index] = "Its driver does not tell of it any more."
        continue
      }
      look.readings[device.index] = DeviceReading(
        utilization: reading.utilization.map { $0 / 100 },
        used: reading.usedBytes.flatMap { Int64(exactly: $0.rounded()) }, temperature: reading.temperature,
        power: reading.power, at: told.at)
    }
    return look
  }
}

extension Device {
  /// Whether a driver tells of it.
  var isWatched: Bool { kind == .cuda || kind == .rocm }
}

extension Conductor {
  /// Nil: no driver tells of any device here.
  private nonisolated var watch: DeviceWatch? {
    startingPool.pool.devices.contains(where: \.device.isWatched) ? deviceWatch : nil
  }

  private nonisolated var devices: [Device] { startingPool.pool.devices.map(\.device) }

  /// Looks at devices again and again while any run waits for some or holds some.
  func watchDevices() async {
    guard let watch else { return }
    while !Task.isCancelled, !isClosed {
      do { try await Task.sleep(for: .seconds(DeviceWatch.interval)) } catch { return }
      guard core.scheduler.jobs.values.contains(where: { $0.needs.devices > 0 }) else { continue }
      await lookAtDevices(watch)
    }
  }

  /// Sees to it that what is known of devices is new, before somebody is given one: nobody may have looked for long. A
  /// driver that does not answer holds that up for some seconds, and no more while it hangs.
  nonisolated func knowDevices() async {
    guard let watch, watch.recent(DeviceWatch.interval, of: devices) == nil else { return }
    await lookAtDevices(watch)
  }

  private nonisolated func lookAtDevices(_ watch: DeviceWatch) async {
    guard let look = await watch.look(at: devices) else { return }
    do {
      try await queue.run { try await self.take(look) }
    } catch {
      logger.failure("What is known of devices could not be used; looking again", error)
    }
  }

  /// The newest of every device that a driver tells of, 2 s old at most; those of a driver that does not answer are as it
  /// told last.
  nonisolated func poolReadings() async -> [Int: DeviceReading] {
    guard let watch else { return [:] }
    if let recent = watch.recent(DeviceWatch.interval, of: devices) { return recent.readings }
    await lookAtDevices(watch)
    return watch.recent(.infinity, of: devices)?.readings ?? [:]
  }

  /// In the queue.
  private func take(_ look: DeviceLook) async throws {
    let gone = core.scheduler.pool.devices.filter { $0.absence == nil && look.absent[$0.device.index] != nil }
    let back = core.scheduler.pool.devices.filter { $0.absence != nil && look.absent[$0.device.index] == nil }
    for device in gone { logger.warning("Device \(device.device.index) is gone: nobody is given it.") }
    for device in back { logger.notice("Device \(device.device.index) is there again.") }
    if !isStarted || core.scheduler.pool.isLineEmpty {
      // Nobody is granted anything by it, so nothing is written down.
      core.scheduler.know(look.readings, absent: look.absent)
      return tracking.feed.publish([.pool])
    }
    let system = system
    try await transact { core, writer, effects, now in
      try core.decide(.pool(.readings(look.readings)), writer, &effects, by: system, now)
      try core.decide(.pool(.absent(look.absent)), writer, &effects, by: system, now)
    }
  }
}
