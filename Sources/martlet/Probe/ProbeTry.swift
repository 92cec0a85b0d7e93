// One try of a probe: a run with one value, and what became of it.

import Foundation
import MartletModel
import OrderedCollections

/// What is the same for every try.
struct ProbeSubject {
  var param: String
  var command: [String]
  /// Members of POST /executions.
  var members: JSONObject
  /// Seconds after which a try that goes on counts as one that worked.
  var seconds: Double
  /// Of the runs of this probe.
  var group: String

  /// What stands in the command for the value.
  var placeholder: String { "{\(param)}" }

  func body(_ value: Int) -> JSONValue {
    var body = members
    body["name"] = .string("\(group)-\(value)")
    body["command"] = JSONValue(command.map { $0.replacing(placeholder, with: String(value)) })
    body["timeout_s"] = .double(seconds)
    return .object(body)
  }
}

struct ProbeTry {
  enum Outcome: String {
    /// It came to its end, or went on for as long as was asked.
    case worked
    case outOfMemory
    /// It failed for another reason.
    case failed
    /// The person asked for its end.
    case stopped
  }

  var value: Int
  var outcome: Outcome
  /// As the API shows it.
  var run: JSONValue
  var reason: String?
  /// Bytes.
  var peakMemory: Int64?
  var peakDeviceMemory: Int64?

  var json: JSONValue {
    [
      "value": .int(Int64(value)), "outcome": .string(outcome.rawValue), "run": .string(run.id),
      "run_name": run["name"] ?? .null, "duration_s": RunGroup.duration(run) ?? .null,
      "peak_memory": peakMemory.map(JSONValue.int) ?? .null,
      "peak_gpu_memory": peakDeviceMemory.map(JSONValue.int) ?? .null,
      "reason": reason.map(JSONValue.string) ?? .null,
    ]
  }
}

/// Makes tries, one after the other.
struct ProbeRunner {
  let subject: ProbeSubject
  private var client: PatientClient
  private var isStopping = false

  init(_ subject: ProbeSubject, client: Client, interrupts: Interrupts) {
    self.subject = subject
    self.client = PatientClient(client, interrupts: interrupts)
  }

  /// Runs the command with this value to its end. Ctrl-C stops it.
  mutating func make(_ value: Int) async throws -> ProbeTry {
    var run = try await client.client.send(.post, "/executions", body: subject.body(value))
    let id = run.id
    _ = try await client.client.send(
      .patch, "/runs/\(id)",
      body: [
        "config": .object([subject.param: .int(Int64(value))]), "group": .string(subject.group),
        "add_tags": ["probe"],
      ])
    var pause = Duration.milliseconds(20)
    while run.runState?.isEnd != true {
      await client.interrupts.pause(for: pause)
      pause = min(pause * 3 / 2, .milliseconds(300))
      if client.interrupts.take() > 0 { try await stop(id) }
      run = try await client.get("/runs/\(id)")
    }
    let attempt = try await client.get("/runs/\(id)/attempts")["items"]?.array?.last ?? .null
    var made = ProbeTry(value: value, outcome: .worked, run: run)
    try await judge(&made, attempt)
    try await measure(&made, attempt)
    return made
  }

  private mutating func stop(_ run: String) async throws {
    Terminal.complain("\nmartlet: stopping the try …")
    isStopping = true
    do {
      _ = try await client.client.send(.post, "/runs/\(run)/stop", body: [:])
    } catch let failure as Failure where failure.status == .failed {
      // It has ended in the meantime.
    }
  }

  private mutating func judge(_ made: inout ProbeTry, _ attempt: JSONValue) async throws {
    made.reason = made.run["exit"]?["reason"]?.string
    if isStopping {
      made.outcome = .stopped
      return
    }
    switch made.run.runState {
    case .finished, .timedOut: return
    case .stopped, .preempted, .lost, .queued, .starting, .running: made.outcome = .stopped
    case .failed, .killed, .crashed, nil:
      made.outcome = .failed
      if let reason = MemoryTrouble.reason(of: attempt) {
        (made.outcome, made.reason) = (.outOfMemory, reason)
        return
      }
      for stream in ["stderr", "stdout"] {
        let piece = try await client.get(
          "/runs/\(made.run.id)/logs",
          query: [("stream", stream), ("offset", "-65536"), ("limit", "65536")])
        if let line = MemoryTrouble.line(in: piece["text"]?.string ?? "") {
          (made.outcome, made.reason) = (.outOfMemory, line)
          return
        }
      }
    }
  }

  /// The most memory that it had, as its supervisor kept it; else as it was sampled.
  private mutating func measure(_ made: inout ProbeTry, _ attempt: JSONValue) async throws {
    made.peakMemory = attempt["peak_memory"]?.int
    made.peakDeviceMemory = attempt["peak_gpu_memory"]?.int
    guard made.peakMemory == nil || made.peakDeviceMemory == nil else { return }
    let metrics = try await client.get("/runs/\(made.run.id)/system")["metrics"]?.array ?? []
    func most(_ isMeant: (String) -> Bool) -> Int64? {
      metrics.filter { $0["name"]?.string.map(isMeant) == true }
        .compactMap { $0["max"]?.double }.max().flatMap { Int64(exactly: $0.rounded()) }
    }
    made.peakMemory = made.peakMemory ?? most { $0 == "process/memory" }
    if made.run["devices"]?.array?.isEmpty == false {
      made.peakDeviceMemory =
        made.peakDeviceMemory ?? most { $0.hasPrefix("gpu.") && $0.hasSuffix("/memory") }
    }
  }
}
