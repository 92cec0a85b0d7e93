// `martlet sweep stop`: results stand.

import ArgumentParser
import MartletModel
import OrderedCollections

struct SweepStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Stop a sweep, or one of its trials; what it found stands.",
    discussion: """
      Running trials are stopped too, unless --drain lets them end.

      Examples:
        martlet sweep stop digits-grid
        martlet sweep stop p81hq0zz --drain
        martlet sweep stop p81hq0zz --trial 3
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Flag(name: .long, help: "Start no more trials, but let the running ones end.")
  var drain = false

  @Option(name: .long, help: ArgumentHelp("Stop this trial alone; the sweep goes on.", valueName: "n"))
  var trial: Int?

  @Option(
    name: .long, help: ArgumentHelp("Time for running trials to end by themselves.", valueName: "seconds"))
  var grace: Double?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    try check(grace, of: "--grace")
    if drain, trial != nil {
      throw ValidationError("--drain is of the whole sweep: --trial has no meaning with it.")
    }
    if let trial, trial < 0 { throw ValidationError("Trials are numbered from 0, not \(trial).") }
    if drain, grace != nil {
      throw ValidationError("--drain lets trials end: --grace has no meaning with it.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    if let trial {
      let body: JSONObject = grace.map { ["grace_s": .double($0)] } ?? [:]
      let stopped = try await client.send(
        .post, "/sweeps/\(found.id)/trials/\(trial)/stop", body: .object(body))
      let name = Terminal.plain(stopped["run_name"]?.string ?? "")
      return try Terminal.say("Trial \(trial), '\(name)', is being stopped; its sweep goes on.")
    }
    let stopped = try await client.stopSweep(found.id, drain: drain, grace: grace)
    let name = Terminal.plain(stopped["name"]?.string ?? "")
    let running = Words.count(stopped.trials(.running), "trial")
    try Terminal.say(
      drain
        ? "Sweep \(found.id), '\(name)', starts nothing more; \(running) running."
        : "Sweep \(found.id), '\(name)', is being stopped.")
  }
}

extension Client {
  func stopSweep(_ id: String, drain: Bool, grace: Double? = nil) async throws -> JSONValue {
    var body: JSONObject = ["mode": .string(drain ? "drain" : "now")]
    if let grace { body["grace_s"] = .double(grace) }
    return try await send(.post, "/sweeps/\(id)/stop", body: .object(body))
  }

  /// Stops a sweep for the sake of its first failure; one that has ended meanwhile stays as it is.
  func stopForFailure(of trial: JSONValue, in sweep: String) async throws {
    let name = Terminal.plain(trial["run_name"]?.string ?? "")
    Terminal.complain("martlet: '\(name)' failed; stopping the sweep (--fail-fast).")
    do {
      _ = try await stopSweep(sweep, drain: false)
    } catch let failure as Failure where failure.status == .failed {
      // It was the last trial.
    }
  }
}
