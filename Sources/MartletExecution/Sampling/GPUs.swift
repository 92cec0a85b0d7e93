// The GPUs of this machine, asked without waiting for a driver that hangs.

import Dispatch
import Synchronization

#if THREAD_SANITIZER
  import MartletModel  // its Mutex
#endif

/// Who is asked about GPUs, and what they said.
package struct GPUSurvey: Sendable, Hashable {
  /// Names of those who are asked, and how many GPUs each told of last.
  package var sources: [(name: String, count: Int)] { zip(names, counts).map { ($0, $1) } }
  /// Seconds for which they have not answered by now; nil: they do.
  package var silence: Double?

  var names: [String] = []
  var counts: [Int] = []
}

/// Drivers are looked for when they are first asked: to open a GPU's library takes time and memory.
package final class GPUs: Sendable {
  /// What they may take before a round goes on without them.
  private let patience: Duration

  /// Used by one call at a time.
  private final class Sources: @unchecked Sendable {
    var list: [any GPUSource] = []
    /// All devices of `list`, as they were found when it was opened.
    var devices: [FoundDevice] = []
    /// What is added to the numbers of each of `list`, so that no two devices have one.
    var offsets: [Int] = []
    var openedAt = -Double.infinity
  }

  private struct Answer: Sendable {
    var readings: [GPUReading] = []
    var devices: [FoundDevice] = []
  }

  private let sources = Sources()
  private let open: @Sendable () -> [any GPUSource]
  private let call = LonelyCall<Answer>("gpu")
  private let told = Mutex<GPUSurvey?>(nil)
  private let found = Mutex<[String]>([])
  /// One asks at a time; whoever waited for another takes what that one was told.
  private let turn = DispatchSemaphore(value: 1)
  private let last = Mutex<(readings: [GPUReading], at: ContinuousClock.Instant)?>(nil)

  /// Seconds after which drivers are looked for again where there were none: one may have been loaded since.
  private static let rest = 60.0

  package convenience init(environment: [String: String], sys: String = "/sys") {
    self.init { GPUSources.all(environment: environment, sys: sys) }
  }

  /// - Parameter patience: `nvidia-smi` is given ten seconds.
  init(patience: Duration = .seconds(12), _ open: @escaping @Sendable () -> [any GPUSource]) {
    (self.patience, self.open) = (patience, open)
  }

  /// All GPUs; empty when they cannot be asked now. Blocks, for some seconds at most.
  func read(at now: Double) -> [GPUReading] { readings(at: now) ?? [] }

  /// All GPUs that drivers tell of now; nil: one does not answer. Blocks, for some seconds at most.
  ///
  /// - Parameter now: seconds of a steady clock.
  package func readings(at now: Double) -> [GPUReading]? {
    let asked = ContinuousClock.now
    turn.wait()
    defer { turn.signal() }
    if let last = last.withLock(\.self), last.at > asked { return last.readings }
    let answer = call.value(within: patience) { [self] in
      reopen(at: now)
      let readings = zip(sources.list, sources.offsets).map { source, offset in
        source.read(at: now).map { reading in
          var reading = reading
          reading.index += offset
          return reading
        }
      }
      told.withLock { $0 = GPUSurvey(names: sources.list.map(\.name), counts: readings.map(\.count)) }
      return Answer(readings: readings.flatMap(\.self))
    }
    guard let readings = answer?.readings else { return nil }
    last.withLock { $0 = (readings, .now) }
    return readings
  }

  /// What there is, as it was found when the drivers were opened; nil: one does not answer. Blocks as `readings` does.
  package func devices(at now: Double) -> [FoundDevice]? {
    turn.wait()
    defer { turn.signal() }
    return call.value(within: patience) { [self] in
      reopen(at: now)
      if sources.devices.isEmpty { findDevices() }
      return Answer(devices: sources.devices)
    }?.devices
  }

  /// Opens what can be opened; nothing when something is open.
  private func reopen(at now: Double) {
    guard sources.list.isEmpty, now - sources.openedAt >= Self.rest || now < sources.openedAt else { return }
    sources.openedAt = now
    sources.list = open()
    sources.offsets = sources.list.map { _ in 0 }
    // With one driver its numbers are everybody's.
    if sources.list.count > 1 { findDevices() }
  }

  private func findDevices() {
    var next = 0
    sources.devices = []
    for (place, source) in sources.list.enumerated() {
      sources.offsets[place] = next
      let found = source.find().map { device in
        var device = device
        device.index = device.driverIndex + sources.offsets[place]
        return device
      }
      sources.devices += found
      next = (sources.devices.map(\.index).max() ?? -1) + 1
    }
    found.withLock { $0 = sources.list.map(\.name) }
  }

  /// Who was asked what devices there are.
  var finders: [String] { found.withLock(\.self) }

  /// Whether they have not answered for longer than a round waits for them.
  package var isSilent: Bool { call.hangs ?? .zero >= patience }

  /// What was told last; where nobody was asked yet, they are now. Blocks, for some seconds at most.
  ///
  /// - Parameter now: seconds of a steady clock.
  package func survey(at now: Double) -> GPUSurvey {
    if told.withLock(\.self) == nil { _ = read(at: now) }
    var survey = told.withLock(\.self) ?? GPUSurvey()
    if let hangs = call.hangs, hangs >= patience {
      survey.silence = hangs / .seconds(1)
    }
    return survey
  }
}
