// One trial in an agent's hands: started, kept alive in the server's eyes, its output sent on, its end told.

import Foundation
import MartletExecution
import MartletModel
import MartletOrchestration
import MartletScheduling
import OrderedCollections
import Synchronization

struct AgentTrial {
  private let lease: Lease
  private let worker: AgentWorker
  private let began = ContinuousClock.now
  /// Who asked its command to leave, once somebody has.
  private var asked: Asker?
  /// It was killed because nobody wanted to wait.
  private var wasKilled = false
  private var hasTold = false
  private var pid: Int32?
  private var outputs: [AgentOutput] = []
  private var nextBeat = ContinuousClock.now

  private enum Asker {
    case server
    /// Ctrl-C, or SIGTERM.
    case person
    /// The server says that the trial is somebody else's.
    case nobody
  }

  private final class News: Sendable {
    private let list = Mutex<[AttemptNews]>([])
    func add(_ news: AttemptNews) { list.withLock { $0.append(news) } }
    func take() -> [AttemptNews] {
      list.withLock { list in
        defer { list = [] }
        return list
      }
    }
  }

  private static let beatEvery: Duration = .seconds(1)

  init(_ lease: Lease, of worker: AgentWorker) { (self.lease, self.worker) = (lease, worker) }

  private var path: String { "/runs/\(lease.run)/lease" }
  private var label: String { "trial \(lease.trial) '\(Terminal.plain(lease.runName))'" }
  private var suffix: String {
    worker.held.isEmpty ? "" : " (gpu \(worker.held.map { String($0.index) }.joined(separator: ",")))"
  }

  /// Runs it to its end and tells that.
  ///
  /// - Throws: `Failure`: no trial can be run here.
  mutating func run() async throws {
    let plan: AgentPlan
    do {
      let (lease, worker) = (lease, worker)
      plan = try await blocking {
        try AgentPlan(
          lease, at: worker.place, holding: worker.held, url: worker.server.client.base.absoluteString)
      }
    } catch {
      let failure = error as? Failure ?? Failure(.cannotCreate, (error as? Problem)?.message ?? "\(error)")
      try await tell(["refused": .string(failure.message)])
      throw failure
    }
    try Terminal.say("\(label) begins\(suffix)")
    let directory = plan.launch.directory
    outputs = LogStream.allCases.map { AgentOutput(stream: $0, directory: directory.path) }
    let news = News()
    worker.place.supervision.launch(plan.launch) { news.add($0) }
    var end: AttemptNews?
    while end == nil {
      for item in news.take() {
        guard case .running(let pid) = item else {
          end = item
          continue
        }
        // Told at once: many trials are short.
        (self.pid, nextBeat) = (pid, .now)
      }
      if end != nil { break }
      try await attend(plan)
      // A cancelled sleep only looks earlier.
      try? await Task.sleep(for: .milliseconds(50))
    }
    worker.place.confinement.release(Confinement.name(lease.run, lease.attempt))
    if case .nobody? = asked {
      Terminal.complain("martlet: \(label) is not ours any more; its process was stopped.")
    } else {
      try await deliver(end, plan)
    }
    try? FileManager.default.removeItem(atPath: directory.path)
  }

  // MARK: - While it runs

  /// One look: who wants it to leave, what it printed, what the server says.
  private mutating func attend(_ plan: AgentPlan) async throws {
    let (supervision, directory) = (worker.place.supervision, plan.launch.directory)
    if worker.shift.isLeaving, asked == nil {
      asked = .person
      supervision.stop(directory)
    }
    if worker.shift.isImpatient, !wasKilled {
      wasKilled = true
      supervision.stop(directory, patience: 0)
    }
    guard .now >= nextBeat else { return }
    nextBeat = .now + Self.beatEvery
    do {
      let (path, body, tells) = (path, beat(plan), pid != nil)
      guard let orders = try await worker.server.once({ try await $0.send(.post, path, body: body) }) else {
        return
      }
      hasTold = hasTold || tells
      if orders["ask"]?.string != nil, asked == nil {
        asked = .server
        supervision.stop(directory, patience: orders["patience"]?.double)
      }
      for index in outputs.indices { try await outputs[index].send(self.claim, through: worker.server) }
    } catch let failure as Failure where failure.isOver {
      guard asked == nil || !wasKilled else { return }
      asked = .nobody
      supervision.stop(directory, patience: lease.grace)
    } catch let failure as Failure {
      Terminal.complain("martlet: \(label): \(failure.message)")
    }
  }

  /// A sign of life; while the server does not know that the command runs, with that.
  private func beat(_ plan: AgentPlan) -> JSONValue {
    var body: JSONObject = ["agent": .string(worker.id), "attempt": .int(Int64(lease.attempt))]
    if let pid, !hasTold {
      body["began"] = [
        "pid": .int(Int64(pid)), "host": .string(worker.place.host),
        "workdir": .string(plan.launch.workdir), "dir": .string(plan.runDirectory),
        "limits": plan.launch.confined.json,
      ]
    }
    return .object(body)
  }

  private var claim: AgentOutput.Claim {
    AgentOutput.Claim(path: "\(path)/logs", agent: worker.id, attempt: lease.attempt)
  }

  // MARK: - When it has ended

  /// Sends what is left of its output and its points, and then its end.
  private mutating func deliver(_ news: AttemptNews?, _ plan: AgentPlan) async throws {
    do {
      // It ended before anybody was told that it runs.
      pid = pid ?? plan.launch.directory.attemptFile?.command?.pid
      if pid != nil, !hasTold {
        let (path, body) = (path, beat(plan))
        _ = try await worker.server.patiently { try await $0.send(.post, path, body: body) }
      }
      for index in outputs.indices { try await outputs[index].sendRest(claim, through: worker.server) }
    } catch let failure as Failure {
      Terminal.complain("martlet: \(label): its output could not be sent: \(failure.message)")
    }
    await sendPoints(in: plan.launch.directory.spool)
    switch news {
    case .over(.ended(let file))?:
      if file.errno != 0 {
        let words = "'\(plan.launch.command.first ?? "")' could not be started: \(file.reason)."
        try await tell(["refused": .string(words)])
        throw Failure(.failed, words, hint: "Start the agent where the command can be found.")
      }
      if case .person? = asked, file.reason == "stopped" {
        try await tell(["given_back": "it was asked to leave."])
        return try Terminal.say("\(label) was given back\(suffix)")
      }
      let record = try FileManager.default.contents(atPath: "\(plan.launch.directory.path)/exit.json")
        .map { try JSONValue.parse($0) }
      let run = try await tell(["exit": record ?? .null])
      let words = run?["exit"]?["reason"]?.string.map { ": \(Terminal.plain($0))" } ?? ""
      try Terminal.say("\(label) \(run?["state"]?.string ?? "ended")\(words)\(suffix)")
    case .over(.lost)?: try await tell(["refused": "its supervisor was killed."])
    case .failed(let problem)?: try await refuse(problem.message)
    case .over(.neverStarted)?, .over(.alive)?, .running?, nil:
      try await refuse("its supervisor started nothing.")
    }
  }

  private func refuse(_ reason: String) async throws {
    try await tell(["refused": .string(reason)])
    throw Failure(.failed, "\(label) could not be run: \(reason)")
  }

  /// - Returns: the run as it is then; nil: it is somebody else's by now, or nobody wants to wait for an answer.
  @discardableResult
  private func tell(_ end: JSONObject) async throws -> JSONValue? {
    let body = end.merging(["agent": .string(worker.id), "attempt": .int(Int64(lease.attempt))]) { $1 }
    let path = "\(path)/end"
    do {
      return try await worker.server.patiently { try await $0.send(.post, path, body: .object(body)) }
    } catch let failure as Failure where failure.isOver {
      Terminal.complain("martlet: \(label) is not ours any more: \(failure.message)")
      return nil
    }
  }

  /// What its own sender had no time for.
  private func sendPoints(in directory: String) async {
    let spools = SpoolPlace.spools(in: directory)
    guard !spools.isEmpty else { return }
    var connection = ConnectionOptions()
    connection.url = worker.server.client.base.absoluteString
    (connection.token, connection.data) = (lease.token, nil)
    var crew = SyncCrew(
      spools: spools, connection: connection, patience: .seconds(60), follows: false,
      interrupts: worker.shift.interrupts)
    do {
      try await crew.work()
    } catch {
      Terminal.complain("martlet: \(label): what it logged last could not be sent: \(error)")
    }
    for report in crew.reports where [.unsent, .refused].contains(report.state) {
      Terminal.complain("martlet: \(label): \(report.message ?? "what it logged last could not be sent.")")
    }
  }
}

extension Failure {
  /// What is spoken of is not ours any more, or is not there.
  fileprivate var isOver: Bool {
    switch refusal?.code {
    case .conflict: refusal?.details["size"] == nil
    case .notFound: true
    default: false
    }
  }
}
