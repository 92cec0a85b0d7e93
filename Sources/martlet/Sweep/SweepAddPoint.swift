// `martlet sweep add-point`: a point that somebody wants to be tried.

import ArgumentParser
import MartletModel
import OrderedCollections

struct SweepAddPoint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-point",
    abstract: "Add a point to a sweep, which is tried before its method is asked again.",
    discussion: """
      Every parameter needs a value, but those that have only one. Where the number of
      trials is limited, there is one more. A sweep that has ended goes on.

      With --trial the point of a trial is tried again, each time with another seed.

      Examples:
        martlet sweep add-point digits lr=0.003 width=96 optimizer=adam
        martlet sweep add-point digits --trial 17 --times 3
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Argument(help: "Values of the parameters, name=value each; nested ones by their dotted names.")
  var values: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("Try the point of this trial again, in place of values.", valueName: "n"))
  var trial: Int?

  @Option(name: .long, help: ArgumentHelp("As how many trials. (default: 1)", valueName: "n"))
  var times: Int?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    for item in values where Self.pair(item) == nil {
      throw ValidationError("'\(item)' is no name=value.")
    }
    guard (trial == nil) != values.isEmpty else {
      throw ValidationError("Say values of the parameters, name=value each, or --trial: one of the two.")
    }
    guard times == nil || trial != nil else {
      throw ValidationError("--times goes with --trial: a point of your own is tried once.")
    }
    for (option, number, least) in [("--trial", trial, 0), ("--times", times, 1)] {
      guard let number, number < least else { continue }
      throw ValidationError("\(option) must be a whole number of at least \(least), not \(number).")
    }
  }

  /// A value is what JSON reads, else text.
  private static func pair(_ item: String) -> (String, JSONValue)? {
    guard let sign = item.firstIndex(of: "="), sign != item.startIndex else { return nil }
    let text = String(item[item.index(after: sign)...])
    return (String(item[..<sign]), (try? JSONValue.parse(text)) ?? .string(text))
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    var body: JSONObject = [:]
    if let trial {
      body["trial"] = .int(Int64(trial))
      body["times"] = .int(Int64(times ?? 1))
    } else {
      body["params"] = .object(JSONObject(values.compactMap(Self.pair)) { $1 })
    }
    let changed = try await client.send(.post, "/sweeps/\(found.id)/points", body: .object(body))
    let what = trial.map { "the point of trial \($0) is tried again" } ?? "the point is tried"
    try Terminal.say(
      "Sweep \(found.id), '\(Terminal.plain(changed["name"]?.string ?? ""))': \(what) as soon as there is room."
    )
  }
}
