// What an attempt's directory says, and which process is meant.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct AttemptRecordsTests {
  @Test func `a process is known by number and start`() throws {
    let start = try #require(ProcessStat.read(getpid())?.start)
    #expect(ProcessIdentity(pid: getpid(), start: start).exists)
    #expect(!ProcessIdentity(pid: getpid(), start: start + 1).exists, "the number passed to another")
    #expect(ProcessIdentity(pid: getpid(), start: start).signal(0))
    #expect(!ProcessIdentity(pid: getpid(), start: start + 1).signal(SIGKILL), "would have ended these tests")
  }

  @Test func `a name with parentheses and blanks does not confuse`() async throws {
    try await withScratch { scratch in
      let odd = "\(scratch)/a) R 1 (b"
      try makeProgram(at: odd, from: "/bin/sleep")
      let pid = try bystander(odd)
      defer { reap(pid) }
      defer { kill(pid, SIGKILL) }
      let start = try #require(ProcessStat.read(pid)?.start)
      let own = try #require(ProcessStat.read(getpid())?.start)
      #expect(start >= own)
      let identity = ProcessIdentity(pid: pid, start: start)
      #expect(identity.signal(SIGKILL))
      #expect(try await eventually { !identity.exists })
      #expect(!identity.signal(SIGTERM))
    }
  }

  @Test func `a process that has ended and was not waited for is gone`() async throws {
    try await withScratch { scratch in
      // The inner shell ends at once; its parent, which became sleep, never waits for it.
      let script =
        "sh -c 'echo $$ > \(scratch)/pid; until [ -e \(scratch)/gate ]; do sleep 0.02; done' & exec sleep 300"
      let parent = try ChildProcess("/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"])
        .start(standing: .group)
      defer {
        kill(parent, SIGKILL)
        reap(parent)
      }
      func pid() throws -> Int32? {
        guard exists("\(scratch)/pid") else { return nil }
        return Int32(
          try String(contentsOfFile: "\(scratch)/pid", encoding: .utf8).trimmingCharacters(in: .newlines))
      }
      #expect(try await eventually { try pid() != nil })
      let child = try #require(try pid())
      let start = try #require(ProcessStat.read(child)?.start)
      let identity = ProcessIdentity(pid: child, start: start)
      #expect(identity.exists)
      try write("", to: "\(scratch)/gate")
      #expect(try await eventually { ProcessStat.read(child)?.state == "Z" })
      #expect(ProcessStat.read(child)?.start == start, "it still has its number")
      #expect(!identity.exists)
      #expect(!identity.signal(0))
    }
  }

  @Test func `nothing started: the right to start is revoked`() async throws {
    try await withScratch { scratch in
      guard case .neverStarted = try AttemptDirectory(path: scratch).condition() else {
        throw Unexpected("it was never started")
      }
      #expect(exists("\(scratch)/revoked"))
      let absent = AttemptDirectory(path: "\(scratch)/absent")
      guard case .neverStarted = try absent.condition() else { throw Unexpected("it was never made") }
      #expect(!exists(absent.path))
    }
  }

  @Test func `a held lock is a life, a free one is asked for its records`() async throws {
    try await withScratch { scratch in
      let directory = AttemptDirectory(path: scratch)
      let lock = open("\(scratch)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(lock, LOCK_EX) == 0)
      guard case .alive = try directory.condition() else { throw Unexpected("it lives") }
      #expect(!exists("\(scratch)/revoked"))
      try write(
        #"{"boot_id": "b", "supervisor": {"pid": 4711, "start": 5}, "command": {"pid": 4712, "start": 6}}"#,
        to: "\(scratch)/attempt.json")
      // Closed alone it is still held where another test's process is just being started.
      flock(lock, LOCK_UN)
      close(lock)
      guard case .lost(let file) = try directory.condition() else { throw Unexpected("it is lost") }
      #expect(file.command == ProcessIdentity(pid: 4712, start: 6))
      try write(
        #"{"code": 0, "signal": 0, "errno": 0, "reason": "exited", "killed": false, "ended_us": 7, "wall": 1.5}"#,
        to: "\(scratch)/exit.json")
      guard case .ended(let exit) = try directory.condition() else { throw Unexpected("it has ended") }
      #expect(exit.endedAt == Timestamp(microseconds: 7))
      #expect(!exists("\(scratch)/revoked"))
    }
  }

  @Test func `a directory that cannot be asked is a problem in words`() async throws {
    try await withScratch { scratch in
      try write("a file", to: "\(scratch)/attempt")
      let problem = #expect(throws: Problem.self) {
        try AttemptDirectory(path: "\(scratch)/attempt").condition()
      }
      #expect(problem?.message.contains("\(scratch)/attempt") == true)
      #expect(problem?.hint != nil)
    }
  }

  @Test func `the last lines of a log`() async throws {
    try await withScratch { scratch in
      let directory = AttemptDirectory(path: scratch)
      #expect(directory.lastLines(of: .stderr, count: 3) == [])
      try write("", to: "\(scratch)/stderr.log")
      #expect(directory.lastLines(of: .stderr, count: 3) == [])
      try write((1...50_000).map { "line \($0)\n" }.joined() + "cut", to: "\(scratch)/stderr.log")
      #expect(directory.lastLines(of: .stderr, count: 3) == ["line 49999", "line 50000", "cut"])
      try Data([0xFF, 0xFE, 0x0A, 0x61, 0x0A]).write(to: URL(fileURLWithPath: "\(scratch)/stdout.log"))
      #expect(directory.lastLines(of: .stdout, count: 3).last == "a")
    }
  }
}
