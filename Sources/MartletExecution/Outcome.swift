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
  /// What it used, and which limit ended it.
  package var use = AttemptUse()
  /// It ended for want of memory: by its limit, by the kernel, or by its own word.
  package var ranOutOfMemory = false

  /// - Parameters:
  ///   - wasStopRequested: somebody asked for its end before.
  ///   - said: what the program itself gave as its reason, an exception for instance.
  package init(
    _ file: ExitFile, directory: AttemptDirectory, launch: (timeout: Double?, said: String?),
    limits: AttemptLimits = AttemptLimits(), wasStopRequested: Bool
  ) {
    let errors = directory.lastLines(of: .stderr, count: 10)
    let lines = errors.isEmpty ? directory.lastLines(of: .stdout, count: 10) : errors
    let said = launch.said ?? (errors.last.map { String($0.prefix(300)) })
    let after = file.wasKilled ? " It did not leave when asked and was killed." : ""
    let code = file.signal == 0 && file.errno == 0 ? file.code : nil
    let signal = file.signal == 0 ? nil : file.signal
    func exit(_ reason: String) -> ExitRecord { ExitRecord(code: code, signal: signal, reason: reason) }
    let time = Self.seconds(file.wall)
    let status = "Exit \(code ?? 128 + (signal ?? 0))"
    let most = file.peakMemory.map { "; it had used \(ByteWords.text($0)) at most" } ?? ""

    lastLines = lines
    startedAt = file.errno == 0 ? file.endedAt + -file.wall : nil
    use = AttemptUse(peakMemory: file.peakMemory, cpuSeconds: file.cpuSeconds, limit: file.limit)
    if file.errno != 0 {
      let program = directory.attemptFile?.program.map { "'\($0)' could" } ?? "Could"
      (state, self.exit) = (.failed, exit("\(program) not be started: \(file.reason)."))
      use = AttemptUse()
    } else if file.reason == "timed out" {
      let limit = launch.timeout.map { " of \(Self.seconds($0))" } ?? ""
      (state, self.exit) = (.timedOut, exit("Ended by its time limit\(limit).\(after)"))
    } else if file.reason == "memory limit" {
      let limit = limits.memory.map { " of \(ByteWords.text($0))" } ?? ""
      // It may have left by itself, when one of its processes was gone.
      let who = signal == Int(SIGKILL) ? "killed" : "one of its processes was killed"
      (state, self.exit) = (
        .killed, exit("\(status): \(who) by its memory limit\(limit) after \(time)\(most).")
      )
      ranOutOfMemory = true
    } else if file.reason == "output limit" {
      let limit = limits.output.map { " of \(ByteWords.text($0)) after \(time)" } ?? ""
      (state, self.exit) = (.killed, exit("Ended by its output limit\(limit).\(after)"))
    } else if file.reason == "stopped" || (wasStopRequested && file.signal == 0 && file.code == 0) {
      (state, self.exit) = (.stopped, exit("Stopped on request after \(time).\(after)"))
    } else if signal == Int(SIGKILL), file.machineRanOut {
      (state, self.exit) = (
        .crashed,
        exit(
          "\(status): killed after \(time), by the kernel for want of memory of the machine, it seems\(most)."
        )
      )
      ranOutOfMemory = true
    } else if let signal {
      let words = said.map { " \($0)" } ?? ""
      (state, self.exit) = (.crashed, exit("Ended by signal \(signal) (\(file.reason)).\(words)\(after)"))
      ranOutOfMemory = Self.tellsOfMemory(launch.said, errors)
    } else if file.code == 0 {
      (state, self.exit) = (.finished, exit("Exited with code 0 after \(time).\(after)"))
      lastLines = []
    } else {
      let words = said.map { ": \($0)" } ?? "."
      (state, self.exit) = (.failed, exit("Exited with code \(file.code)\(words)\(after)"))
      ranOutOfMemory = Self.tellsOfMemory(launch.said, errors)
    }
  }

  /// Whether a program's own last words are that it got no memory, of the machine or of a device: `MemoryError`,
  /// `torch.OutOfMemoryError: CUDA out of memory.`, `std::bad_alloc`.
  private static func tellsOfMemory(_ said: String?, _ errors: [String]) -> Bool {
    ([said].compactMap(\.self) + errors.suffix(3)).contains { line in
      ["MemoryError", "OutOfMemory", "out of memory", "Out of memory", "bad_alloc"].contains {
        line.contains($0)
      }
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
