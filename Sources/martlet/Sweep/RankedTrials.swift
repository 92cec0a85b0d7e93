// The ranked table of a sweep, and where its results lie.

import Foundation
import MartletModel
import OrderedCollections

struct RankedTrials {
  let sweep: JSONValue
  /// Best first.
  let trials: [JSONValue]

  static func read(_ sweep: JSONValue, from client: Client) async throws -> RankedTrials {
    let trials = try await client.send(
      .get, "/sweeps/\(sweep.id)/trials", query: [("sort", TrialRanking.rank.rawValue)])
    return RankedTrials(sweep: sweep, trials: trials["items"]?.array ?? [])
  }

  /// How the API sorts trials.
  enum TrialRanking: String { case rank, number }

  private var fields: [Field] {
    let varied = Set(sweep.variedParameters)
    // Without a metric there is nothing to rank by: no column stays empty in a table.
    let metric = sweep["metric"]?["name"]?.string
    var fields = [
      Field("rank", "#", .number),
      Field("run_name", "Run"),
      Field("run", nil),
      Field("number", nil, .number),
      Field("state", "State", .state),
      Field("run_state", nil),
      Field("objective", metric, .number),
      Field("final", nil, .number) { $0["metrics"]?["final"] },
      Field("min", nil, .number) { $0["metrics"]?["min"] },
      Field("max", nil, .number) { $0["metrics"]?["max"] },
    ]
    for (index, name) in sweep.allParameters.enumerated() {
      let isNumber = trials.allSatisfy { $0["params"]?[name]?.double != nil }
      fields.append(
        Field(name, varied.contains(name) ? name : nil, isNumber ? .number : .text, dispensability: 1 + index)
        {
          $0["params"]?[name]
        })
    }
    fields += [
      Field(
        "feasible", trials.contains { Self.isFeasible($0) == false } ? "Meets" : nil,
        dispensability: Int.max - 4, read: { Self.isFeasible($0).map { .string($0 ? "yes" : "no") } }),
      Field("duration_s", "Took", .duration, dispensability: Int.max, read: RunGroup.duration),
      Field("attempts", nil, .number),
      // Where the file was changed on the way: by which of its versions.
      Field(
        "space_version", (sweep["space_version"]?.int ?? 1) > 1 ? "File" : nil, .number,
        dispensability: Int.max - 5),
      // Where trials go on from each other's checkpoints: whose.
      Field(
        "from_trial", trials.contains { $0["from_trial"]?.int != nil } ? "From" : nil, .number,
        dispensability: Int.max - 3),
      Field(
        "issues", trials.contains { $0["issues"]?.array?.isEmpty == false } ? "Issues" : nil,
        dispensability: Int.max - 2, read: { Self.issues(of: $0).map(JSONValue.string) }),
      Field(
        "reason", trials.contains { $0["reason"]?.string != nil } ? "Reason" : nil,
        dispensability: Int.max - 1, read: { Self.reason(of: $0).map(JSONValue.string) }),
    ]
    return fields
  }

  /// What looks wrong with a trial's losses, in one line.
  static func issues(of trial: JSONValue) -> String? {
    let issues = trial["issues"]?.array?.compactMap(\.string) ?? []
    return issues.isEmpty ? nil : issues.joined(separator: " ")
  }

  /// Whether a trial meets every constraint; nil: there are none, or nothing is known.
  static func isFeasible(_ trial: JSONValue) -> Bool? {
    guard let violations = trial["violations"]?.array, !violations.isEmpty, trial["objective"]?.double != nil
    else { return nil }
    return violations.allSatisfy { $0.double.map { $0 <= 0 } ?? false }
  }

  /// The sentence that begins a trial's reason; the last lines of its output follow it.
  static func reason(of trial: JSONValue) -> String? {
    trial["reason"]?.string?.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  /// - Parameter limit: in tables only; nil shows all.
  func print(_ format: OutputFormat, limit: Int?) throws(OutputClosed) {
    if format == .json { return try Listing(items: trials, fields: [], whenEmpty: "").print(.json) }
    let ranked = trials.enumerated().map { index, trial in
      JSONValue.object(["rank": .int(Int64(index + 1))]).merging(trial)
    }
    let shown = format == .table ? Array(ranked.prefix(limit ?? ranked.count)) : ranked
    try Listing(items: shown, fields: fields, whenEmpty: "There are no trials yet.").print(format)
    if shown.count < ranked.count {
      try Terminal.say("… and \(ranked.count - shown.count) more: martlet sweep show \(sweep.id) --all")
    }
  }

  /// Where the results lie: the folder, its summary, the best run's checkpoint, the dashboard.
  ///
  /// - Parameter checkpoint: The pattern by which the best run's checkpoint was looked for.
  func printPlaces(client: Client, checkpoint: String) async throws {
    if let folder = sweep["output_dir"]?.string, !folder.isEmpty {
      try Terminal.say("Results     \(folder)")
      // Files of another machine cannot be looked for; their names are the same.
      let isHere = ServerPlace.isLoopback(client.base)
      func isThere(_ name: String) -> Bool { !isHere || access("\(folder)/\(name)", F_OK) == 0 }
      if isThere("sweep_summary.csv") { try Terminal.say("Summary     \(folder)/sweep_summary.csv") }
      if isThere("best_model") {
        try Terminal.say("Best model  \(folder)/best_model")
      } else if let best = sweep["best"]?["run_name"]?.string {
        try Terminal.say(
          Terminal.plain("No file of \(best) matches '\(checkpoint)': no best model was copied"))
      }
    }
    try Terminal.say("Dashboard   \(try await client.dashboardLink(path: SweepGroup.dashboardPath(sweep)))")
  }
}
