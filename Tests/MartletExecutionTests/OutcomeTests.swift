// Each end of a process, as a state and a sentence.

import Foundation
import MartletModel
import Testing

@testable import MartletExecution

@Suite struct OutcomeTests {
  private func record(
    code: Int = 0, signal: Int = 0, errno: Int = 0, reason: String = "exited", killed: Bool = false,
    wall: Double = 2
  ) throws -> ExitFile {
    let json: JSONValue = [
      "code": JSONValue(code), "signal": JSONValue(signal), "errno": JSONValue(errno),
      "reason": .string(reason),
      "killed": .bool(killed), "leftovers": 0, "started_us": 1_790_000_000_000_000,
      "ended_us": 1_790_000_002_000_000, "wall": .double(wall), "utime": 0.1, "stime": 0.1,
      "maxrss_kb": 1_000,
    ]
    return try #require(ExitFile(json: json))
  }

  private func end(
    _ file: ExitFile, out: String = "", errors: String = "", timeout: Double? = nil, said: String? = nil,
    stop: Bool = false
  ) async throws -> AttemptEnd {
    try await withScratch { scratch in
      try write(out, to: "\(scratch)/stdout.log")
      try write(errors, to: "\(scratch)/stderr.log")
      return AttemptEnd(
        file, directory: AttemptDirectory(path: scratch), launch: (timeout, said), wasStopRequested: stop)
    }
  }

  @Test func `exit code 0 is finished`() async throws {
    let end = try await end(record(), out: "epoch 1\n", errors: "a warning\n")
    #expect(end.state == .finished)
    #expect(end.exit == ExitRecord(code: 0, signal: nil, reason: "Exited with code 0 after 2.0 s."))
    #expect(end.lastLines.isEmpty)
  }

  @Test func `another exit code is failed, with the last line of its errors`() async throws {
    let end = try await end(record(code: 3), out: "epoch 1\n", errors: "Traceback\nValueError: no\n")
    #expect(end.state == .failed)
    #expect(end.exit == ExitRecord(code: 3, signal: nil, reason: "Exited with code 3: ValueError: no"))
    #expect(end.lastLines == ["Traceback", "ValueError: no"])
  }

  @Test func `what the program itself said comes first`() async throws {
    let end = try await end(record(code: 1), errors: "noise\n", said: "RuntimeError: out of memory")
    #expect(end.exit.reason == "Exited with code 1: RuntimeError: out of memory")
  }

  @Test func `a failure that wrote no error shows the end of its output`() async throws {
    let lines = (1...30).map { "line \($0)" }
    let end = try await end(record(code: 1), out: lines.joined(separator: "\n") + "\n")
    #expect(end.exit.reason == "Exited with code 1.")
    #expect(end.lastLines == lines.suffix(10))
  }

  @Test func `a signal is crashed`() async throws {
    let end = try await end(record(code: -1, signal: 11, reason: "SIGSEGV"))
    #expect(end.state == .crashed)
    #expect(end.exit == ExitRecord(code: nil, signal: 11, reason: "Ended by signal 11 (SIGSEGV)."))
  }

  @Test func `the time limit is timedOut, whatever it answered`() async throws {
    let obeyed = try await end(record(code: 0, reason: "timed out"), timeout: 90)
    #expect(obeyed.state == .timedOut)
    #expect(obeyed.exit.reason == "Ended by its time limit of 1 min 30 s.")
    let refused = try await end(record(code: -1, signal: 9, reason: "timed out", killed: true), timeout: 2)
    #expect(refused.state == .timedOut)
    #expect(refused.exit.signal == 9)
    #expect(
      refused.exit.reason == "Ended by its time limit of 2.0 s. It did not leave when asked and was killed.")
  }

  @Test func `the output limit is killed`() async throws {
    let end = try await end(record(code: -1, signal: 15, reason: "output limit"))
    #expect(end.state == .killed)
    #expect(end.exit.reason == "Ended by its output limit.")
  }

  @Test func `a stop is stopped, also when the program left by itself after it was asked`() async throws {
    let asked = try await end(record(code: -1, signal: 15, reason: "stopped", wall: 61), stop: true)
    #expect(asked.state == .stopped)
    #expect(asked.exit.reason == "Stopped on request after 1 min 1 s.")
    let saved = try await end(record(code: 0, reason: "exited"), stop: true)
    #expect(saved.state == .stopped)
    let crashed = try await end(record(code: -1, signal: 11, reason: "SIGSEGV"), stop: true)
    #expect(crashed.state == .crashed)
  }

  @Test func `what could not be started is failed, without a code`() async throws {
    let end = try await end(record(code: -1, errno: 2, reason: "exec: No such file or directory", wall: 0))
    #expect(end.state == .failed)
    #expect(
      end.exit
        == ExitRecord(
          code: nil, signal: nil, reason: "Could not be started: exec: No such file or directory."))
  }

  @Test func `a very long last line is cut in the sentence`() async throws {
    let end = try await end(record(code: 1), errors: String(repeating: "x", count: 5_000) + "\n")
    #expect(end.exit.reason.count < 400)
  }

  @Test func `a record that lacks something is none`() throws {
    #expect(ExitFile(json: ["code": 0]) == nil)
    #expect(ExitFile(json: [1, 2]) == nil)
    #expect(AttemptFile(json: ["boot_id": "x", "supervisor": ["pid": 0, "start": 1]]) == nil)
    #expect(AttemptFile(json: ["boot_id": "x", "supervisor": ["pid": 12, "start": -1]]) == nil)
    let whole = AttemptFile(json: ["boot_id": "x", "supervisor": ["pid": 12, "start": 34]])
    #expect(whole?.supervisor == ProcessIdentity(pid: 12, start: 34))
    #expect(whole?.command == nil)
  }
}
