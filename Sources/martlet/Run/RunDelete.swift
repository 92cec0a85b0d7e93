// `martlet run delete`: into the trash, or for ever.

import ArgumentParser
import MartletModel

struct RunDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Put runs into the trash, or remove them for ever.",
    discussion: """
      The trash keeps a run for 30 days; martlet run restore takes it out again.
      With --purge all of it goes at once, whether it is in the trash or not.

      Examples:
        martlet run delete swift-finch-3 k2f9a0xy
        martlet run delete swift-finch-3 --purge --yes
      """)

  @Argument(help: "The runs: ids, or names that are unique.")
  var runs: [String]

  @Flag(name: .long, help: "Remove them for ever, at once.")
  var purge = false

  @Flag(name: .long, help: "Ask nothing.")
  var yes = false

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    var found: [JSONValue] = []
    // All are looked up before the first one goes.
    for name in runs {
      let run = try await purge ? client.findAnywhere(name) : client.find(.run, name)
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    if purge {
      let names = found.map { "'\(Terminal.plain($0["name"]?.string ?? ""))'" }.joined(separator: ", ")
      let points = found.reduce(0) { $0 + ($1["points"]?.int ?? 0) }
      try Confirmation.ask(
        "Remove \(names) with \(Words.count(points, "point")) for ever?", isGiven: yes)
    }
    for run in found {
      _ = try await client.send(
        .delete, "/runs/\(run.id)", query: [("purge", purge ? "true" : nil)])
      let name = Terminal.plain(run["name"]?.string ?? "")
      if purge {
        try Terminal.say("Run \(run.id), '\(name)', is removed.")
      } else {
        try Terminal.say("Run \(run.id), '\(name)', is in the trash.")
        Terminal.complain(
          "  martlet run restore \(run.id)\(client.place.suffix) takes it out again, for 30 days.")
      }
    }
  }
}

extension Client {
  /// The run in the trash that is called `name`.
  ///
  /// - Throws: `Failure` with `notFound` and the nearest name, or with `usage` and the ids when there are several.
  func findDeleted(_ name: String) async throws -> JSONValue {
    let deleted = try await items("/runs", query: [("deleted", "true")])
    if let byID = deleted.first(where: { $0.id == name }) { return byID }
    let called = deleted.filter { $0["name"]?.string == name }
    switch called.count {
    case 1: return called[0]
    case 0:
      let names = deleted.flatMap { [$0["name"]?.string, $0.id].compactMap { $0 } }
      let suggestion = nearest(to: name, in: names).map { "Did you mean '\($0)'? " } ?? ""
      throw Failure(
        .notFound, "There is no run '\(name)' in the trash.",
        hint: "\(suggestion)martlet run list --deleted\(place.suffix) shows what is there.")
    default:
      let ids = called.prefix(5).map { "\($0.id) (\($0["project"]?.string ?? "-"))" }.joined(separator: ", ")
      throw Failure(
        .usage, "\(called.count) runs in the trash are called '\(name)'.",
        hint: "Name one by its id: \(ids).")
    }
  }

  /// A run that may be in the trash.
  func findAnywhere(_ name: String) async throws -> JSONValue {
    do {
      return try await find(.run, name)
    } catch let failure as Failure where failure.status == .notFound {
      do {
        return try await findDeleted(name)
      } catch let other as Failure where other.status == .notFound {
        throw failure
      }
    }
  }
}
