// `martlet sweep set`: a sweep that runs already, changed.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct SweepSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change how a sweep runs: trials at a time, priority, time limit.",
    discussion: """
      The time limit holds for attempts that have not begun, the priority for all that
      wait. Where fewer trials may run at a time than do, those go on.

      Examples:
        martlet sweep set digits-grid --max-parallel 8
        martlet sweep set p81hq0zz --priority 10 --timeout 2h
        martlet sweep set p81hq0zz --timeout none
        martlet sweep set p81hq0zz --max-parallel auto
        martlet sweep set p81hq0zz --budget 200
        martlet sweep set p81hq0zz --file wider.yaml
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Trials at a time; auto: as many as the machine has room for; 0: none, agents run them.", valueName: "n"
    ))
  var maxParallel: String?

  @Option(
    // It may be below zero.
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Their place in the line: higher goes first.", valueName: "n"))
  var priority: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("How long an attempt may take: 90s, 30m, 12h, 2d; none: no limit.", valueName: "span"))
  var timeout: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How many trials there are at most; none: no limit. A sweep that has ended goes on.", valueName: "n"))
  var budget: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Another sweep file, for a paused sweep: what it searches from now on.", valueName: "path"))
  var file: String?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    guard try file != nil || !change().isEmpty else {
      throw ValidationError("Say what to change: --max-parallel, --priority, --timeout, --budget or --file.")
    }
  }

  private func change() throws -> JSONObject {
    var change: JSONObject = [:]
    if maxParallel == "auto" {
      change["max_parallel"] = "auto"
    } else if let maxParallel {
      guard let count = Int64(maxParallel), count >= 0 else {
        throw ValidationError(
          "--max-parallel must be a whole number of at least 0, or auto, not '\(maxParallel)'.")
      }
      change["max_parallel"] = .int(count)
    }
    if budget == "none" {
      change["budget"] = .some(.null)
    } else if let budget {
      guard let count = Int64(budget), count >= 1 else {
        throw ValidationError("--budget must be a whole number of at least 1, or none, not '\(budget)'.")
      }
      change["budget"] = .int(count)
    }
    if let priority { change["priority"] = .int(Int64(priority)) }
    if let timeout {
      let seconds = Words.seconds(timeout)
      guard timeout == "none" || seconds != nil else {
        throw ValidationError("--timeout '\(timeout)' is no time span; write 90s, 30m, 12h or 2d, or none.")
      }
      change["timeout"] = .some(JSONValue(seconds))
    }
    return change
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    var change = try change()
    if let file {
      guard let bytes = FileManager.default.contents(atPath: file),
        let text = String(validating: bytes, as: UTF8.self)
      else { throw Failure(.notFound, "There is no text file '\(file)' that this account may read.") }
      change["source"] = .string(text)
    }
    let changed = try await client.send(.patch, "/sweeps/\(found.id)", body: .object(change))
    let count = Words.count(changed["max_parallel"]?.int ?? 0, "trial")
    let parallel =
      changed["max_parallel"]?.int == 0
      ? "none here, agents run them"
      : changed["max_parallel_auto"]?.bool == true
        ? "as many trials at a time as there is room for (\(count) now)" : "\(count) at a time"
    let limit = changed["timeout"]?.double.map { "\(Words.duration($0)) for each attempt" } ?? "no time limit"
    try Terminal.say(
      "Sweep \(found.id), '\(Terminal.plain(changed["name"]?.string ?? ""))': \(parallel), priority \(changed["priority"]?.int ?? 0), \(limit)."
    )
  }
}
