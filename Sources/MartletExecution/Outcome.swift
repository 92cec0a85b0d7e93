// How an attempt ended: from the supervisor's record to a state and a sentence.

import Foundation
import Glibc
package import MartletModel

/// The end of an attempt.
package struct AttemptEnd: Sendable, Hashable {
  package var state: AttemptState
  package var exit: ExitRecord
  /// When its command began; nil when nothing was started, or nobody knows.
  package var startedAt: Timestamp?
  /// The last lines that it wrote, when it did not succeed.
  package var lastLines: [String]
  /// Why what its sweep looks for is not known, although it succeeded; nil: it is known, or nobody asks.
  package var objectiveFault: String?

  /// - Parameters:
  ///   - wasStopRequested: somebody asked for its end before.
  ///   - said: what the program itself gave as its reason, an exception for instance.
  package init(
    _ file: ExitFile, directory: AttemptDirectory, launch: (timeout: Double?, said: String?),
    wasStopRequested: Bool
  ) {
    let errors = directory.lastLines(of: .stderr, count: 10)
    let lines = errors.isEmpty ? directory.lastLines(of: .stdout, count: 10) : errors
    let said = launch.said ?? (errors.last.map { String($0.prefix(300)) })
    let after = file.wasKilled ? " It did not leave when asked and was killed." : ""
    let code = file.signal == 0 && file.errno == 0 ? file.code : nil
    let signal = file.signal == 0 ? nil : file.signal
    func exit(_ reason: String) -> ExitRecord {
      ExitRecord(code: code, signal: signal, reason: reason + after)
    }

    lastLines = lines
    startedAt = file.errno == 0 ? file.endedAt + -file.wall : nil
    if file.errno != 0 {
      let program = directory.attemptFile?.program.map { "'\($0)' could" } ?? "Could"
      (state, self.exit) = (.failed, exit("\(program) not be started: \(file.reason)."))
    } else if file.reason == "timed out" {
      let limit = launch.timeout.map { " of \(Self.seconds($0))" } ?? ""
      (state, self.exit) = (.timedOut, exit("Ended by its time limit\(limit)."))
    } else if file.reason == "output limit" {
      (state, self.exit) = (.killed, exit("Ended by its output limit."))
    } else if file.reason == "stopped" || (wasStopRequested && file.signal == 0 && file.code == 0) {
      (state, self.exit) = (.stopped, exit("Stopped on request after \(Self.seconds(file.wall))."))
    } else if let signal {
      (state, self.exit) = (
        .crashed, exit("Ended by signal \(signal) (\(file.reason)).\(said.map { " \($0)" } ?? "")")
      )
    } else if file.code == 0 {
      (state, self.exit) = (.finished, exit("Exited with code 0 after \(Self.seconds(file.wall))."))
      lastLines = []
    } else {
      (state, self.exit) = (.failed, exit("Exited with code \(file.code)\(said.map { ": \($0)" } ?? ".")"))
    }
  }

  package init(state: AttemptState, reason: String) {
    self.state = state
    exit = ExitRecord(code: nil, signal: nil, reason: reason)
    lastLines = []
  }

  static func seconds(_ value: Double) -> String {
    switch value {
    case ..<60: String(format: "%.1f s", value)
    case ..<3_600: String(format: "%d min %d s", Int(value) / 60, Int(value) % 60)
    default: String(format: "%d h %d min", Int(value) / 3_600, Int(value) % 3_600 / 60)
    }
  }
}
