// How far a sweep may go.

package import MartletModel
import MartletSearch
import OrderedCollections

/// What ends a sweep when it has had so much of it. Trials that run then go on to their end.
package struct SweepLimits: Sendable, Hashable {
  /// Trials that are made.
  package var trials: Int?
  /// Trials that ended with a result: complete or pruned.
  package var finished: Int?
  /// Seconds since its first beginning, pauses included.
  package var seconds: Double?
  /// Seconds that its attempts had devices, each device by itself.
  package var deviceSeconds: Double?
  /// Complete trials one after the other of which none is the best so far.
  package var withoutImprovement: Int?

  package init(
    trials: Int? = nil, finished: Int? = nil, seconds: Double? = nil, deviceSeconds: Double? = nil,
    withoutImprovement: Int? = nil
  ) {
    self.trials = trials
    self.finished = finished
    self.seconds = seconds
    self.deviceSeconds = deviceSeconds
    self.withoutImprovement = withoutImprovement
  }

  /// Those that are set, by their names in a sweep file.
  package var json: JSONValue {
    var members = JSONObject()
    if let trials { members["trials"] = .int(Int64(trials)) }
    if let finished { members["finished"] = .int(Int64(finished)) }
    if let seconds { members["time"] = .double(seconds) }
    if let deviceSeconds { members["gpu_hours"] = .double(deviceSeconds / 3600) }
    if let withoutImprovement { members["no_improvement"] = .int(Int64(withoutImprovement)) }
    return .object(members)
  }
}

extension SweepMachine {
  /// Why nothing more is begun, a sentence; nil: it may go on. Of the number of trials nothing is said.
  var limitReached: String? {
    if let finished = limits.finished, finishedCount >= finished {
      return "\(Words.count(finished, "trial")) ended with a result, as many as it was to have."
    }
    if let seconds = limits.seconds, let start = progress.startedAt, now - start >= seconds {
      return "Its time of \(Words.duration(seconds)) is over."
    }
    if let most = limits.deviceSeconds, progress.deviceSeconds >= most {
      return "Its devices were busy for \(Words.duration(progress.deviceSeconds)); it was to have "
        + "\(Words.duration(most))."
    }
    if let most = limits.withoutImprovement, progress.finishedSinceBest >= most {
      return "The last \(Words.count(most, "trial")) brought no improvement."
    }
    return nil
  }

  /// Open trials that no agent runs.
  var ownCount: Int { openTrials.count - lentTrials.count }

  /// Whether another trial may be open: in the server's window, or because somebody asked for so many more, and so that
  /// no more end than may.
  func hasRoom(asked: Int) -> Bool {
    let room = (laws.hold(.parallelKept) ? maxParallel : maxParallel + 1) + asked
    return ownCount < room && limits.finished.map { openTrials.count < $0 - finishedCount } ?? true
  }

  /// Whether agents may still ask for trials of which the server runs none itself.
  var awaitsAgents: Bool {
    guard maxParallel == 0, state == .running, stopReason == nil, limitReached == nil else { return false }
    let isSpent = progress.isExhausted || trials.count >= trialLimit
    guard isSpent, pausedCount > 0 else { return !isSpent }
    var watcher = stopping
    return watcher?.resume(isExhausted: true).map { trials.indices.contains($0) } ?? false
  }

  func wakes() -> [Action] {
    guard let seconds = limits.seconds, let start = progress.startedAt else { return [] }
    return [.wake(at: max(now, start + seconds))]
  }
}
