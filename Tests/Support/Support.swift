// What tests of several targets lean on: deadlines, scratch directories, processes, seeded numbers.

import Foundation
import MartletExecution
package import MartletModel
package import Testing

/// A test's own error: something it leans on did not work.
package struct Unexpected: Error, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// Waits until something is true; says whether it became so in time.
///
/// A minute: on a shared machine with few cores, a task may wait for many seconds until a thread is free for it.
package func eventually(within seconds: Double = 60, _ condition: () async throws -> Bool) async throws
  -> Bool
{
  let deadline = ContinuousClock.now + .seconds(seconds)
  while .now < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return try await condition()
}

/// Waits until something is true, and records an issue when it does not become so in time.
package func eventually(
  _ what: String, within seconds: Double = 60, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  if try await !eventually(within: seconds, condition) {
    Issue.record("not within \(seconds) s: \(what)", sourceLocation: sourceLocation)
  }
}

/// Runs `body` and gives back the `Problem` it must throw.
package func problem(
  _ code: Problem.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> Problem {
  do {
    try await body()
  } catch let problem as Problem {
    #expect(problem.code == code, "\(problem)", sourceLocation: sourceLocation)
    return problem
  }
  Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  return Problem(.internal, "")
}

/// Removes a scratch directory in which a process that was just told to end may still be writing.
///
/// - Throws: what the last of its tries met, a minute after the first.
package func removeScratch(_ path: String) throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while true {
    do {
      return try FileManager.default.removeItem(atPath: path)
    } catch {
      guard FileManager.default.fileExists(atPath: path) else { return }
      guard .now < deadline else { throw error }
      usleep(20_000)
    }
  }
}

/// Makes a program of a script, or a copy of a program.
///
/// Another process writes it. Had this one the file open for writing while another test starts something, that would
/// have it open too until it has begun, and what somebody writes cannot be started ("Text file busy").
package func makeProgram(at path: String, from original: String) throws {
  let install = ChildProcess("/usr/bin/install", ["-m", "755", original, path], environment: [:])
  let answer = try install.run(within: .seconds(60))
  guard answer.isSuccess else { throw Unexpected("\(path) could not be made") }
}

package func makeProgram(at path: String, script: String) throws {
  let text = path + ".text"
  try Data(script.utf8).write(to: URL(fileURLWithPath: text))
  defer { unlink(text) }
  try makeProgram(at: path, from: text)
}

/// Whether a process is there and no zombie.
package func isAlive(_ pid: Int32) -> Bool {
  guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
    let end = text.lastIndex(of: ")")
  else { return false }
  return !text[text.index(after: end)...].hasPrefix(" Z")
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
package struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
