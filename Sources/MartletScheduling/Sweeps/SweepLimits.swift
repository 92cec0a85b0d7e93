// How far a sweep may go.

package import MartletModel
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

  /// Trials that ended with a result.
  var finishedCount: Int { trials.count { $0.state == .complete || $0.state == .pruned } }

  /// Trials that may be open at a time so that no more end than may.
  var openLimit: Int {
    let room = laws.hold(.parallelKept) ? maxParallel : maxParallel + 1
    return limits.finished.map { min(room, max(0, $0 - finishedCount)) } ?? room
  }

  func wakes() -> [Action] {
    guard let seconds = limits.seconds, let start = progress.startedAt else { return [] }
    return [.wake(at: max(now, start + seconds))]
  }
}
