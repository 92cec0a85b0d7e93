// Following a sweep trial by trial: the output of each as if it had been started right here.

import Foundation
import MartletModel

/// For a sweep that runs one trial at a time.
struct SweepAttachment {
  private var sweep: JSONValue
  private var client: PatientClient
  private let isFailFast: Bool
  private var trial: AttachedTrial?
  private var shown: Set<Int64> = []
  /// All before this one were shown.
  private var next: Int64 = 0
  private var stage = Stage.none
  private var askedAt: ContinuousClock.Instant?
  /// The trial that failed first, without being asked to end.
  private(set) var firstFailure: JSONValue?

  /// What Ctrl-C has asked for.
  private enum Stage { case none, trial, sweep }

  /// A second Ctrl-C within this time means the sweep, also when its first has ended a trial already.
  private static let sameBreath: Duration = .seconds(2)

  init(sweep: JSONValue, client: Client, interrupts: Interrupts, isFailFast: Bool) {
    self.sweep = sweep
    self.client = PatientClient(client, interrupts: interrupts)
    self.isFailFast = isFailFast
  }

  private var interrupts: Interrupts { client.interrupts }

  /// The client that reached the server last.
  var currentClient: Client { client.client }

  /// Shows one trial after the other until the sweep ends or the person leaves.
  mutating func follow() async throws -> SweepFollower.Outcome {
    var pause = Duration.milliseconds(20)
    while true {
      let hasMoved = try await trial == nil ? findNext() : advance()
      if !hasMoved, trial == nil {
        sweep = try await client.get("/sweeps/\(sweep.id)")
        // What ended between the two questions is shown before the end.
        if sweep.sweepState?.isEnd == true, try await !findNext() { return .ended(sweep, status) }
      }
      pause = hasMoved ? .milliseconds(20) : min(pause * 3 / 2, .milliseconds(300))
      if interrupts.take() > 0, let outcome = try await answerInterrupt() { return outcome }
      await interrupts.pause(for: pause)
    }
  }

  private var status: ExitStatus {
    if stage == .sweep { return .interrupted }
    if isFailFast, firstFailure != nil { return .failed }
    return sweep.sweepState == .finished || sweep.sweepState == .stopped ? .done : .failed
  }

  // MARK: - Trials

  /// The first trial that has begun and was not shown; false: there is none.
  private mutating func findNext() async throws -> Bool {
    let trials = try await trials()
    let next = trials.first { trial in
      let state = trial["state"]?.string.flatMap(TrialState.init(rawValue:))
      return state != .waiting && trial["number"]?.int.map { !shown.contains($0) } == true
    }
    guard let next else { return false }
    var line = "Trial \((next["number"]?.int ?? 0) + 1)"
    if let total = sweep["budget"]?.int { line += "/\(total)" }
    var words = [line, Terminal.plain(next["run_name"]?.string ?? "")]
    words += sweep.variedParameters.map { Terminal.plain("\($0)=\(Words.value(next["params"]?[$0]))") }
    try Terminal.say(Style.strong.paint("── \(words.joined(separator: "  ")) ──", if: Terminal.usesColor))
    trial = AttachedTrial(next)
    if stage == .trial { stage = .none }
    return true
  }

  /// Shows what the trial wrote since the last look, and its end; false: nothing happened.
  private mutating func advance() async throws -> Bool {
    guard var current = trial else { return false }
    defer { if trial != nil { trial = current } }
    if try await current.copy(&client) { return true }
    let run = try await client.get("/runs/\(current.run)")
    let attempts = Int(run["attempts"]?.int ?? 1)
    let isOver = run.runState?.isEnd == true
    guard isOver || attempts > current.attempt else { return false }
    // The state is written after the log: what is there now is all there will be.
    while try await current.copy(&client) {}
    try current.endLine()
    if attempts > current.attempt {
      let earlier = try await client.get("/runs/\(current.run)/attempts")["items"]?.array ?? []
      let reason = earlier.first { $0["number"]?.int == Int64(current.attempt) }?["exit"]?["reason"]?.string
      current.begin(attempt: current.attempt + 1)
      let why = reason.map { " — the last: \(Terminal.plain($0))" } ?? ""
      try Terminal.say(
        Style.faint.paint("── attempt \(current.attempt)\(why) ──", if: Terminal.usesColor))
      return true
    }
    trial = nil
    try await report(current)
    return true
  }

  private mutating func report(_ ended: AttachedTrial) async throws {
    sweep = try await client.get("/sweeps/\(sweep.id)")
    let found = try await trials().first { $0["number"]?.int == ended.number }
    shown.insert(ended.number)
    guard let found else { return }
    try Terminal.say(SweepFollower.line(found, of: sweep, done: shown.count) + "\n")
    guard firstFailure == nil, stage == .none, found["state"]?.string == TrialState.failed.rawValue else {
      return
    }
    firstFailure = found
    if isFailFast { try await client.client.stopForFailure(of: found, in: sweep.id) }
  }

  /// Those from the first on that was not shown.
  private mutating func trials() async throws -> [JSONValue] {
    while shown.contains(next) { next += 1 }
    let query = [("sort", "number"), ("from", String(next))]
    return try await client.get("/sweeps/\(sweep.id)/trials", query: query)["items"]?.array ?? []
  }

  // MARK: - Ctrl-C

  /// The first asks the trial to end, the second the sweep, the third leaves both alone; nil: go on following.
  private mutating func answerInterrupt() async throws -> SweepFollower.Outcome? {
    if interrupts.wasTerminated || stage == .sweep { return .detached(.interrupted) }
    let isSameBreath = askedAt.map { .now - $0 < Self.sameBreath } ?? false
    askedAt = .now
    if let trial, stage == .none, !isSameBreath {
      stage = .trial
      Terminal.complain("\nmartlet: stopping '\(trial.name)' …  Ctrl-C again stops the sweep.")
      try await quietly { try await $0.send(.post, "/runs/\(trial.run)/stop", body: [:]) }
    } else {
      stage = .sweep
      Terminal.complain("\nmartlet: stopping the sweep …  Ctrl-C again leaves it.")
      let id = sweep.id
      try await quietly { try await $0.stopSweep(id, drain: false) }
    }
    return nil
  }

  /// Asks for an end; who has ended in the meantime is no failure.
  private func quietly(_ ask: (Client) async throws -> JSONValue) async throws {
    do {
      _ = try await ask(client.client)
    } catch let failure as Failure where failure.status == .failed {
      return
    }
  }
}

/// The trial whose output is shown.
private struct AttachedTrial {
  let number: Int64
  let run: String
  let name: String
  private(set) var attempt = 1
  private var streams: [(log: LogReader, descriptor: Int32)] = []
  private var isInLine = false

  init(_ trial: JSONValue) {
    number = trial["number"]?.int ?? 0
    run = trial["run"]?.string ?? ""
    name = Terminal.plain(trial["run_name"]?.string ?? "")
    begin(attempt: 1)
  }

  mutating func begin(attempt: Int) {
    self.attempt = attempt
    streams = [
      (LogReader(run: run, stream: .stdout, attempt: attempt), STDOUT_FILENO),
      (LogReader(run: run, stream: .stderr, attempt: attempt), STDERR_FILENO),
    ]
  }

  /// Copies what is new to this process's own streams; tells whether anything was.
  mutating func copy(_ client: inout PatientClient) async throws -> Bool {
    var hasMoved = false
    for index in streams.indices {
      let text = try await streams[index].log.next(&client)
      guard !text.isEmpty else { continue }
      hasMoved = true
      isInLine = text.utf8.last != UInt8(ascii: "\n")
      try Terminal.write(text, to: streams[index].descriptor)
    }
    return hasMoved
  }

  /// What is said next stands on a line of its own.
  mutating func endLine() throws(OutputClosed) {
    if isInLine { try Terminal.write("\n", to: STDOUT_FILENO) }
    isInLine = false
  }
}
