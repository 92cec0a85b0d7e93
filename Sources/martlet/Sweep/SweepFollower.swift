// Following a sweep: a line for each trial that ends, a bar that moves, and what Ctrl-C means.

import Foundation
import MartletModel

struct SweepFollower {
  enum Outcome {
    /// The sweep as it ended, and what martlet answers to its caller.
    case ended(JSONValue, ExitStatus)
    /// The sweep goes on without anyone watching.
    case detached(ExitStatus)
  }

  private var sweep: JSONValue
  private var client: PatientClient
  private var reported: Set<Int64> = []
  /// All trials before this one were reported.
  private var next: Int64 = 0
  /// When the last one of those that were reported ended, in microseconds since 1970.
  private var lastEnd: Int64 = 0
  private var bar = ProgressBar()
  private var isStopping = false
  /// Whether the first failure stops the sweep.
  private let isFailFast: Bool
  /// The trial that failed first.
  private(set) var firstFailure: JSONValue?

  init(sweep: JSONValue, client: Client, interrupts: Interrupts, isFailFast: Bool = false) {
    self.sweep = sweep
    self.client = PatientClient(client, interrupts: interrupts)
    self.isFailFast = isFailFast
  }

  private var interrupts: Interrupts { client.interrupts }

  /// The client that reached the server last.
  var currentClient: Client { client.client }

  /// Reports until the sweep ends or the person leaves.
  mutating func follow() async throws -> Outcome {
    defer { bar.clear() }
    while true {
      sweep = try await client.get("/sweeps/\(sweep.id)")
      if sweep.endedTrials > Int64(reported.count) { try await reportEnded() }
      if sweep.sweepState?.isEnd == true { return .ended(sweep, status) }
      bar.draw(sweep)
      await interrupts.pause(for: .milliseconds(400))
      if interrupts.take() > 0, let outcome = try await answerInterrupt() { return outcome }
    }
  }

  private var status: ExitStatus {
    switch sweep.sweepState {
    case .finished: .done
    case .stopped: isStopping ? .interrupted : isFailFast && firstFailure != nil ? .failed : .done
    case .failed, .cancelled, .pending, .queued, .running, .paused, .draining, nil:
      isStopping ? .interrupted : .failed
    }
  }

  /// A line for every trial that ended since the last look, in the order of their ends. Asked is for what may be new: a
  /// look at a large sweep takes no longer than one at a small one.
  private mutating func reportEnded() async throws {
    let answer = try await client.get(
      "/sweeps/\(sweep.id)/trials",
      query: [("sort", "number"), ("from", String(next)), ("ended_since", String(lastEnd))])
    let ended = (answer["items"]?.array ?? []).filter { trial in
      let state = trial["state"]?.string.flatMap(TrialState.init(rawValue:))
      return state?.isEnd == true && trial["number"]?.int.map { !reported.contains($0) } == true
    }
    bar.clear()
    for trial in ended.sorted(by: { $0["ended_at"]?.int ?? 0 < $1["ended_at"]?.int ?? 0 }) {
      reported.insert(trial["number"]?.int ?? -1)
      lastEnd = max(lastEnd, trial["ended_at"]?.int ?? 0)
      try Terminal.say(Self.line(trial, of: sweep, done: reported.count))
      if firstFailure == nil, trial["state"]?.string == TrialState.failed.rawValue {
        firstFailure = trial
        if isFailFast { try await client.client.stopForFailure(of: trial, in: sweep.id) }
      }
    }
    while reported.contains(next) { next += 1 }
    // The clock was put back: the next look asks for all that are left.
    if Int64(reported.count) < sweep.endedTrials { lastEnd = 0 }
  }

  /// What is said of a trial that has ended; `done` of the sweep's have.
  static func line(_ trial: JSONValue, of sweep: JSONValue, done count: Int) -> String {
    let isColored = Terminal.usesColor
    let total = sweep["budget"]?.int.map(String.init) ?? "∞"
    let done = String(count)
    let state = trial["state"]?.string ?? ""
    let blank = String(repeating: " ", count: max(0, total.count - done.count))
    var words = ["[\(blank)\(done)/\(total)]"]
    words.append(Style(state: state)?.paint(state, if: isColored) ?? state)
    words.append(Style.strong.paint(Terminal.plain(trial["run_name"]?.string ?? ""), if: isColored))
    for name in sweep.variedParameters {
      words.append(Terminal.plain("\(name)=\(Words.value(trial["params"]?[name]))"))
    }
    if let objective = trial["objective"]?.double {
      words.append(
        Terminal.plain("\(sweep["metric"]?["name"]?.string ?? "objective") \(Words.number(objective))"))
    }
    if let seconds = RunGroup.duration(trial)?.double {
      words.append(Style.faint.paint("in \(Words.duration(seconds))", if: isColored))
    }
    if let reason = RankedTrials.reason(of: trial) { words.append("— \(Terminal.plain(reason))") }
    if sweep["best"]?["trial"]?.int == trial["number"]?.int, trial["number"] != nil {
      words.append(Style.good.paint("← best", if: isColored))
    }
    return words.joined(separator: "  ")
  }

  // MARK: - Ctrl-C

  /// What the person wants; nil: go on following, until the stopped sweep has ended.
  private mutating func answerInterrupt() async throws -> Outcome? {
    bar.clear()
    if isStopping || interrupts.wasTerminated { return .detached(.interrupted) }
    guard Terminal.inputIsTerminal, Terminal.errorIsTerminal else { return .detached(.interrupted) }
    switch await ask() {
    case "s":
      Terminal.complain("martlet: stopping …  Ctrl-C again leaves it.")
      do {
        _ = try await client.client.stopSweep(sweep.id, drain: false)
        isStopping = true
      } catch let failure as Failure where failure.status == .failed {
        // It ended before the answer: by itself, and so it is told.
      }
      return nil
    case "d": return .detached(.done)
    default: return .detached(.interrupted)
    }
  }

  /// Asks until the answer is d or s; nil when Ctrl-C or the end of input answers.
  private func ask() async -> Character? {
    while true {
      try? Terminal.write("\n[d]etach or [s]top? ", to: STDERR_FILENO)
      guard let line = await readLine() else { return nil }
      if let answer = line.lowercased().first(where: { !$0.isWhitespace }), "ds".contains(answer) {
        return answer
      }
    }
  }

  /// A line from the terminal; nil when Ctrl-C came instead, or no more input.
  private func readLine() async -> String? {
    var bytes: [UInt8] = []
    while interrupts.take() == 0 {
      var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 0) > 0 else {
        await interrupts.pause(for: .milliseconds(50))
        continue
      }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }
}
