// `martlet sweep`: searches from a file to a ranked table.

import ArgumentParser
import MartletModel

struct SweepGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Write, run, list, show, pause, change and stop sweeps.",
    discussion: """
      Examples:
        martlet sweep new sweep.yaml
        martlet sweep run sweep.yaml --dry-run
        martlet sweep run sweep.yaml
        martlet sweep show digits-grid
        martlet sweep set digits-grid --max-parallel 8
        martlet sweep stop digits-grid --drain
      """,
    subcommands: [
      SweepRun.self, SweepList.self, SweepShow.self, SweepStop.self, SweepPause.self, SweepResume.self,
      SweepSet.self, SweepAnalyze.self, SweepNew.self, SweepAddPoint.self, SweepServe.self,
    ])

  static let listFields = [
    Field("id", "ID"),
    Field("name", "Name"),
    Field("project", "Project", dispensability: 2),
    Field("state", "State", .state),
    Field("state_reason", nil),
    Field("done", "Done", .number) { .int($0.endedTrials) },
    Field("failed", "Failed", .number, dispensability: 4) { $0["counts"]?["failed"] },
    Field("budget", "Of", .number) { $0["budget"] },
    Field("metric", "Metric", dispensability: 3) { $0["metric"]?["name"] },
    Field("best", "Best", .number) { $0["best"]?["objective"] },
    Field("best_run", "Best run", dispensability: 5) { $0["best"]?["run_name"] },
    Field("created_at", "Created", .time, dispensability: 1),
    Field("started_at", nil, .time),
    Field("ended_at", nil, .time),
    Field("duration_s", "Took", .duration, dispensability: 1, read: RunGroup.duration),
    Field("output_dir", nil),
    Field("created_by", nil),
  ]

  /// Where the dashboard shows it.
  static func dashboardPath(_ sweep: JSONValue) -> String {
    "/p/\(Client.escaped(sweep["project"]?.string ?? ""))/sweeps/\(sweep.id)"
  }
}

/// A sweep as the API shows it.
extension JSONValue {
  func trials(_ state: TrialState) -> Int64 { self["counts"]?[state.rawValue]?.int ?? 0 }

  var endedTrials: Int64 { trials(.complete) + trials(.pruned) + trials(.failed) }

  var sweepState: SweepState? { self["state"]?.string.flatMap(SweepState.init(rawValue:)) }

  /// The parameters that differ from trial to trial.
  var variedParameters: [String] {
    (self["parameters"]?.array ?? []).compactMap { parameter in
      let values = parameter["values"]?.array
      return parameter["kind"]?.string == "constant" || values?.count == 1 ? nil : parameter["name"]?.string
    }
  }

  var allParameters: [String] { (self["parameters"]?.array ?? []).compactMap { $0["name"]?.string } }

  /// "minimize val_loss"
  var goalInWords: String? {
    guard let name = self["metric"]?["name"]?.string else { return nil }
    return "\(self["metric"]?["goal"]?.string ?? "minimize") \(Terminal.plain(name))"
  }
}
