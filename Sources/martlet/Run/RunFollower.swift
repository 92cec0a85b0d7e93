// Following a run as if it had been started right here: its output, its signals, its exit status.

import Foundation
import MartletModel

struct RunFollower {
  private let run: JSONValue
  private var client: PatientClient
  private var streams: [(log: LogReader, descriptor: Int32)]
  private var stopsAsked = 0

  init(run: JSONValue, client: Client, interrupts: Interrupts) {
    self.run = run
    self.client = PatientClient(client, interrupts: interrupts)
    streams = [
      (LogReader(run: run.id, stream: .stdout), STDOUT_FILENO),
      (LogReader(run: run.id, stream: .stderr), STDERR_FILENO),
    ]
  }

  private var interrupts: Interrupts { client.interrupts }

  /// Copies the run's output to this process's until it ends.
  ///
  /// - Returns: the exit status that a shell would have seen.
  mutating func follow() async throws -> Int32 {
    // Short commands are answered at once, long ones asked rarely.
    var pause = Duration.milliseconds(20)
    while true {
      do {
        let hasMoved = try await copy()
        let current: JSONValue? = hasMoved ? nil : try await client.get("/runs/\(run.id)")
        if let current, current.runState?.isEnd == true {
          // The state is written after the log: what is there now is all there will be.
          while try await copy() {}
          return status(current)
        }
        pause = hasMoved ? .milliseconds(20) : min(pause * 3 / 2, .milliseconds(400))
      } catch let closed as OutputClosed {
        // As a shell's pipe: who reads no more ends who writes.
        try await stop()
        throw closed
      }
      if try await answerInterrupts() { return ExitStatus.interrupted.rawValue }
      await interrupts.pause(for: pause)
    }
  }

  /// Copies what is new; tells whether anything was.
  private mutating func copy() async throws -> Bool {
    var hasMoved = false
    for index in streams.indices {
      let text = try await streams[index].log.next(&client)
      guard !text.isEmpty else { continue }
      hasMoved = true
      try Terminal.write(text, to: streams[index].descriptor)
    }
    return hasMoved
  }

  /// The first Ctrl-C stops the run, the second kills it, the third leaves it alone; true: leave.
  private mutating func answerInterrupts() async throws -> Bool {
    guard interrupts.take() > 0 else { return false }
    switch stopsAsked {
    case 0: Terminal.complain("\nmartlet: stopping '\(name)' …  Ctrl-C again kills it.")
    case 1: Terminal.complain("\nmartlet: killing '\(name)' …")
    default:
      Terminal.complain("\nmartlet: left '\(name)' as it is; martlet run show \(run.id) shows its end.")
      return true
    }
    try await stop()
    return false
  }

  private mutating func stop() async throws {
    let body: JSONValue = stopsAsked == 0 ? [:] : ["grace_s": 0]
    stopsAsked += 1
    do {
      _ = try await client.client.send(.post, "/runs/\(run.id)/stop", body: body)
    } catch let failure as Failure where failure.status == .failed {
      // It has ended in the meantime.
    }
  }

  private var name: String { Terminal.plain(run["name"]?.string ?? run.id) }

  private func status(_ run: JSONValue) -> Int32 {
    if stopsAsked > 0 { return ExitStatus.interrupted.rawValue }
    let reason = run["exit"]?["reason"]?.string
    func explain(_ word: String) {
      Terminal.complain("martlet: '\(name)' \(word)\(reason.map { ": \($0)" } ?? ".")")
    }
    switch run.runState {
    case .finished: return 0
    case .timedOut:
      explain("took too long")
      return 124
    case .failed, .killed, .stopped, .preempted, .crashed, nil, .queued, .starting, .running, .lost:
      if let code = run["exit"]?["code"]?.int, code != 0 { return Int32(truncatingIfNeeded: code) & 0xFF }
      if let signal = run["exit"]?["signal"]?.int {
        explain("was ended by signal \(signal)")
        return 128 + Int32(truncatingIfNeeded: signal & 0x7F)
      }
      if run.runState == .failed {
        Terminal.complain("martlet: \(reason ?? "It could not be started.")")
        return 127
      }
      explain("is \(run["state"]?.string ?? "ended")")
      return ExitStatus.failed.rawValue
    }
  }
}
