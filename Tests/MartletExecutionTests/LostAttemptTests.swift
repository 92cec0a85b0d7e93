// Attempts whose supervisors were killed: what is decided, and what is done to their processes.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletExecution

/// What a watch told.
final class CauseLog: Sendable {
  private let log = Mutex<[LostAttempt.Cause]>([])

  var all: [LostAttempt.Cause] { log.withLock { $0 } }

  func take(_ cause: LostAttempt.Cause) { log.withLock { $0.append(cause) } }
}

@Suite struct LostAttemptTests {
  private static let there = LostAttempt.Event.seen(command: true, leftovers: 0)
  private static let gone = LostAttempt.Event.seen(command: false, leftovers: 0)

  private static func left(_ count: Int) -> LostAttempt.Event { .seen(command: false, leftovers: count) }

  private static func stop(_ patience: Double? = nil) -> LostAttempt.Event { .stop(patience: patience) }

  private static func attempt(
    grace: Double = 10, asksByUserSignal: Bool = false, deadline: Double? = nil
  ) -> LostAttempt {
    LostAttempt(grace: grace, asksByUserSignal: asksByUserSignal, deadline: deadline)
  }

  @Test func `a command that runs is waited for, however long`() {
    var attempt = Self.attempt()
    for now in [0, 1, 599, 600, 601, 86_400, 1e9] { #expect(attempt.handle(Self.there, at: now) == []) }
    #expect(attempt.handle(Self.gone, at: 1e9) == [.end(.unknown)])
    #expect(attempt.handle(Self.gone, at: 1e9) == [], "it ends once")
    #expect(attempt.handle(Self.stop(), at: 1e9) == [])
  }

  @Test func `a stop asks, waits for the grace, and kills the tree until it is gone`() {
    var attempt = Self.attempt()
    #expect(attempt.handle(Self.stop(), at: 100) == [.askGroup])
    #expect(attempt.handle(Self.stop(), at: 101) == [], "asked once")
    #expect(attempt.handle(Self.there, at: 109.9) == [])
    #expect(attempt.handle(Self.there, at: 110) == [.killTree])
    #expect(attempt.handle(Self.there, at: 110.05) == [])
    #expect(attempt.handle(Self.there, at: 110.1) == [.killTree])
    #expect(attempt.handle(Self.there, at: 110.25) == [])
    #expect(attempt.handle(Self.there, at: 110.31) == [.killTree])
    #expect(attempt.handle(Self.gone, at: 111) == [.end(.request)])
  }

  @Test func `what a stopped command leaves behind has the rest of the grace, and nothing ends before it`() {
    var attempt = Self.attempt()
    #expect(attempt.handle(Self.stop(), at: 100) == [.askGroup])
    #expect(attempt.handle(Self.left(2), at: 104) == [.askTree])
    #expect(attempt.handle(Self.left(1), at: 109) == [])
    #expect(attempt.handle(Self.left(1), at: 110) == [.killTree])
    #expect(attempt.handle(Self.gone, at: 110.2) == [.end(.request)])
  }

  @Test(arguments: [(0.5, 3.0), (10, 10)])
  func `what a command leaves behind that ended by itself has three seconds at least`(
    grace: Double, wait: Double
  ) {
    var attempt = Self.attempt(grace: grace, deadline: 101)
    #expect(attempt.handle(Self.left(1), at: 100) == [.askTree])
    #expect(attempt.handle(Self.left(1), at: 100 + wait - 0.1) == [], "its time limit was the command's")
    #expect(attempt.handle(Self.left(1), at: 100 + wait) == [.killTree])
    #expect(attempt.handle(Self.gone, at: 120) == [.end(.unknown)])
  }

  @Test func `a stop hurries what is left, and is not why the command ended`() {
    var attempt = Self.attempt()
    #expect(attempt.handle(Self.left(1), at: 100) == [.askTree])
    #expect(attempt.handle(Self.stop(0), at: 101) == [])
    #expect(attempt.handle(Self.left(1), at: 101) == [.killTree])
    #expect(attempt.handle(Self.gone, at: 102) == [.end(.unknown)])
  }

  @Test func `who has less patience gets it, who has more does not`() {
    var attempt = Self.attempt()
    #expect(attempt.handle(Self.stop(5), at: 100) == [.askGroup])
    #expect(attempt.handle(Self.stop(50), at: 101) == [])
    #expect(attempt.handle(Self.there, at: 104.9) == [])
    #expect(attempt.handle(Self.there, at: 105) == [.killTree])
    var second = Self.attempt()
    #expect(second.handle(Self.stop(), at: 100) == [.askGroup])
    #expect(second.handle(Self.stop(0), at: 101) == [])
    #expect(second.handle(Self.there, at: 101) == [.killTree])
  }

  @Test func `the time limit holds without its supervisor`() {
    var attempt = Self.attempt(deadline: 50)
    #expect(attempt.handle(Self.there, at: 49.9) == [])
    #expect(attempt.handle(Self.there, at: 50) == [.askGroup])
    #expect(attempt.handle(Self.stop(), at: 51) == [], "it was asked")
    #expect(attempt.handle(Self.there, at: 60) == [.killTree])
    #expect(attempt.handle(Self.gone, at: 61) == [.end(.timeLimit)])
    var quick = Self.attempt(deadline: 50)
    #expect(quick.handle(Self.gone, at: 70) == [.end(.unknown)], "it was gone already")
  }

  @Test func `SIGUSR1 as the file says, or as the program says, and one grace`() {
    var file = Self.attempt(asksByUserSignal: true, deadline: 50)
    #expect(file.handle(Self.there, at: 50) == [.askCommand])
    #expect(file.handle(Self.there, at: 60) == [.killTree])
    var program = Self.attempt()
    #expect(program.handle(Self.there, at: 99) == [])
    program.asksByUserSignal = true
    #expect(program.handle(Self.stop(), at: 100) == [.askCommand])
    #expect(program.handle(Self.there, at: 109.9) == [])
    #expect(program.handle(Self.there, at: 110) == [.killTree])
  }

  // MARK: - Whose processes they are

  private static func entry(
    _ pid: Int32, parent: Int32 = 1, group: Int32? = nil, start: UInt64 = 5, state: Character = "S",
    isMarked: Bool = false
  ) throws -> ProcessTree.Entry {
    let text =
      "\(pid) (a) b) \(state) \(parent) \(group ?? pid)\(String(repeating: " 0", count: 16)) \(start) 0"
    return .init(pid: pid, stat: try #require(ProcessStat(text)), isMarked: isMarked)
  }

  @Test func `the tree is the command, its group, who has its mark, and their children`() throws {
    let all = try [
      Self.entry(1, parent: 0, isMarked: true), Self.entry(50, isMarked: true), Self.entry(51, parent: 50),
      Self.entry(10, parent: 11), Self.entry(11, parent: 12), Self.entry(12, parent: 100),
      Self.entry(100, isMarked: true), Self.entry(101, group: 100), Self.entry(102, isMarked: true),
      Self.entry(103, parent: 102), Self.entry(104, parent: 100, state: "Z"), Self.entry(105),
      Self.entry(106, parent: 105, group: 105),
    ]
    func members(_ start: UInt64) -> [Int32] {
      ProcessTree.members(of: ProcessIdentity(pid: 100, start: start), among: all, besides: 50).map(\.pid)
    }
    #expect(members(5).first == 100)
    #expect(Set(members(5)) == [100, 10, 11, 12, 101, 102, 103])
    let another = all.map { entry in
      ProcessTree.Entry(pid: entry.pid, stat: entry.stat, isMarked: entry.isMarked && entry.pid != 100)
    }
    let left = ProcessTree.members(of: ProcessIdentity(pid: 100, start: 4), among: another, besides: 50)
    #expect(Set(left.map(\.pid)) == [102, 103], "its number and its group are another's by now")
  }

  // MARK: - Real processes

  /// A supervisor that was killed, and what it left.
  private func orphaned(_ script: String, in scratch: String) async throws -> (Launched, ProcessIdentity) {
    let launched = try Launched(
      ["sh", "-c", script], in: scratch,
      environment: ["MARTLET_SPOOL_DIR": "\(scratch)/attempt-1/spool"])
    _ = try await launched.news.running()
    #expect(try await launched.prints("ready"))
    #expect(try #require(launched.directory.attemptFile).supervisor.signal(SIGKILL))
    guard case .lost(let file) = try await launched.news.over() else {
      throw Unexpected("\(launched.news.all)")
    }
    return (launched, try #require(file.command))
  }

  @Test func `the time limit is counted from its start, and one who does not listen is killed`() async throws
  {
    try await withScratch { scratch in
      let (launched, command) = try await orphaned(
        "trap '' TERM; echo ready; while [ -d \(scratch) ]; do sleep 0.02; done", in: scratch)
      let causes = CauseLog()
      let watch = LostWatch(
        launched.directory, command: command, timeout: 0.01, grace: 0.1, stopSignal: .term
      ) { causes.take($0) }
      #expect(try await eventually { causes.all == [.timeLimit] })
      #expect(!isAlive(command.pid))
      watch.stop(patience: nil)
    }
  }

  @Test func `a worker that left group, session and parent is asked, and waited for`() async throws {
    try await withScratch { scratch in
      let worker = """
        trap 'touch \(scratch)/asked' TERM; echo ready
        until [ -e \(scratch)/gate ] || [ ! -d \(scratch) ]; do sleep 0.02; done
        """
      let (launched, command) = try await orphaned(
        "(setsid sh -c \"\(worker.replacing("\n", with: "; "))\" &); exec sleep 300", in: scratch)
      let causes = CauseLog()
      let watch = LostWatch(
        launched.directory, command: command, timeout: nil, grace: 300, stopSignal: .term
      ) { causes.take($0) }
      watch.stop(patience: nil)
      #expect(try await eventually { exists("\(scratch)/asked") })
      #expect(!command.exists)
      #expect(causes.all == [], "its worker runs on")
      try write("", to: "\(scratch)/gate")
      #expect(try await eventually { causes.all == [.request] })
    }
  }

  @Test func `one who hands on to a child all the time is not taken for gone`() async throws {
    try await withScratch { scratch in
      let runner = """
        trap '' TERM; echo ready
        hop() { sleep 0.01; if [ $1 = 0 ]; then touch \(scratch)/through; else hop $(($1 - 1)) & fi; exit; }
        hop 200 & exit
        """
      let (launched, command) = try await orphaned(runner, in: scratch)
      let causes = CauseLog()
      let watch = LostWatch(
        launched.directory, command: command, timeout: nil, grace: 300, stopSignal: .term
      ) { cause in
        // There is no time limit: this says that it was told too early.
        causes.take(exists("\(scratch)/through") ? cause : .timeLimit)
      }
      #expect(try await eventually { causes.all == [.unknown] }, "\(causes.all)")
      watch.leave()
    }
  }

  @Test func `a watch that is left tells nothing and ends nobody`() async throws {
    try await withScratch { scratch in
      let (launched, command) = try await orphaned("echo ready; exec sleep 300", in: scratch)
      let (left, kept) = (CauseLog(), CauseLog())
      func watch(_ causes: CauseLog) -> LostWatch {
        LostWatch(launched.directory, command: command, timeout: nil, grace: 60, stopSignal: .term) {
          causes.take($0)
        }
      }
      watch(left).leave()
      let other = watch(kept)
      #expect(command.exists)
      other.stop(patience: nil)
      #expect(try await eventually { kept.all == [.request] })
      #expect(left.all == [])
    }
  }
}
