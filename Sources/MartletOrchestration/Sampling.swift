// What executed runs use, sampled round after round for as long as the server lives.

import Dispatch
import Foundation
import Logging
package import MartletExecution
import MartletModel
import MartletScheduling
import MartletSeries
import MartletTracking
import OrderedCollections
import Synchronization

/// The host's sampler of what runs use, on a thread of its own. While nothing runs, it does nothing.
///
/// `@unchecked`: the sampler is used on the queue alone.
package final class Sampling: @unchecked Sendable {
  /// Seconds from one round to the next.
  package let interval: Double
  private let paths: [String]
  private let conductor: Conductor
  private let tracking: Tracking
  private let clock: any WallClock
  private let gpus: GPUs
  private let logger: Logger
  private let queue = DispatchQueue(label: "martlet.sample", qos: .utility)
  private var sampler: HostSampler?
  private let silentMounts = Mutex<[String]>([])
  private let task = Mutex<Task<Void, Never>?>(nil)

  /// Who counts the rows of a run, and how many there are: anew for each attempt.
  private struct Counter {
    var client = "sampler-\(PublicID.random())"
    var next: Int64 = 0
  }

  init(
    every interval: Double, data: String, conductor: Conductor, tracking: Tracking, clock: any WallClock,
    gpus: GPUs, logger: Logger
  ) {
    self.interval = interval
    paths = [data]
    self.conductor = conductor
    self.tracking = tracking
    self.clock = clock
    self.gpus = gpus
    self.logger = logger
  }

  func start() {
    task.withLock { task in
      guard task == nil else { return }
      task = Task { await self.run() }
    }
  }

  /// A round under way ends by itself, and what it saw may be lost.
  func stop() { task.withLock { $0?.cancel() } }

  /// Who is asked about GPUs, how many each tells of, and which file systems do not answer: waits for no round, and for a
  /// driver that hangs no longer than a round does.
  package func report() async -> (gpus: GPUSurvey, silentMounts: [String]) {
    let (gpus, uptime) = (gpus, clock.uptime)
    let survey = await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: gpus.survey(at: uptime)) }
    }
    return (survey, silentMounts.withLock(\.self))
  }

  private func onQueue<T: Sendable>(_ body: @escaping @Sendable (HostSampler) -> T) async -> T {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let sampler = sampler ?? HostSampler(paths: paths, gpus: gpus)
        self.sampler = sampler
        continuation.resume(returning: body(sampler))
      }
    }
  }

  private func run() async {
    var counters: [PublicID: Counter] = [:]
    var isFailing = false
    /// Runs whose last sample was refused, and who did not answer in the last round.
    var refused: Set<PublicID> = []
    var silent: Set<String> = []
    var next = ContinuousClock.now
    while !Task.isCancelled {
      next = max(next + .seconds(interval), .now)
      do {
        try await Task.sleep(until: next)
        let attempts = await conductor.sampledAttempts
        let running = Set(attempts.map(\.run))
        counters = counters.filter { running.contains($0.key) }
        refused.formIntersection(running)
        guard !attempts.isEmpty else { continue }
        let samples = await sample(attempts, &counters)
        silent = tell(silent)
        guard !samples.isEmpty else { continue }
        for (run, result) in try await tracking.appendSamples(samples) {
          switch result {
          case .success:
            counters[run]?.next += 1
            refused.remove(run)
          case .failure(let error):
            // What comes next would have a gap before it: it is another client's.
            counters[run] = nil
            if refused.insert(run).inserted {
              logger.failure("What run \(run) uses could not be stored; trying again", error, level: .warning)
            }
          }
        }
        isFailing = false
      } catch is CancellationError {
        return
      } catch {
        // A row that may or may not have been stored: the next ones are another client's.
        counters = [:]
        if !isFailing, !Task.isCancelled {
          logger.failure("What runs use could not be stored; trying again", error, level: .warning)
        }
        isFailing = true
      }
    }
  }

  /// Says in the log who did not answer in the last round, and who does again.
  ///
  /// - Parameter before: those who did not answer in the round before.
  private func tell(_ before: Set<String>) -> Set<String> {
    let mounts = silentMounts.withLock(\.self).map { "the file system at \($0)" }
    let silent = Set(mounts + (gpus.isSilent ? ["a GPU's driver"] : []))
    for name in silent.subtracting(before).sorted() {
      logger.warning("What runs use is sampled without \(name), which does not answer.")
    }
    for name in before.subtracting(silent).sorted() {
      logger.notice("What runs use is sampled with \(name) again.")
    }
    return silent
  }

  private func sample(
    _ attempts: [(run: PublicID, sampled: SampledAttempt)], _ counters: inout [PublicID: Counter]
  ) async -> [RunSample] {
    let (uptime, longest) = (clock.uptime, max(3 * interval, 60))
    let (values, mounts) = await onQueue { sampler in
      (sampler.sample(attempts.map(\.sampled), at: uptime, longest: longest), sampler.silentMounts)
    }
    silentMounts.withLock { $0 = mounts }
    let now = clock.now
    var samples: [RunSample] = []
    for (attempt, values) in zip(attempts, values) where !values.isEmpty {
      let counter = counters[attempt.run] ?? Counter()
      counters[attempt.run] = counter
      let batch = RowBatch(
        firstSequence: counter.next, steps: [now.microseconds / 1_000], times: [now.microseconds],
        numbers: values.map { RowBatch.Numbers(name: $0.name, rows: .all, values: [$0.value]) })
      samples.append(RunSample(run: attempt.run, client: counter.client, batch: batch))
    }
    return samples
  }
}

extension Conductor {
  /// Attempts whose processes run. Where no devices were declared, nothing keeps an attempt from using any.
  var sampledAttempts: [(run: PublicID, sampled: SampledAttempt)] {
    core.attempts.values.filter { ($0.state == .running || $0.state == .lost) && $0.agent == nil }.map {
      attempt in
      let devices = deviceCount > 0 ? core.scheduler.pool.holdings[attempt.job]?.devices ?? [] : nil
      return (attempt.run, SampledAttempt(directory: attempt.directory, devices: devices))
    }
  }
}
