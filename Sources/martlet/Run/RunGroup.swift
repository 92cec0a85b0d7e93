// `martlet run`: runs, and `martlet run -- CMD`.

import ArgumentParser
import MartletModel

struct RunGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a command and keep its record; list, show, stop, edit, fork and delete runs.",
    discussion: """
      Examples:
        martlet run -- python train.py --lr 0.1      run it, follow its output, keep its record
        martlet run --project digits --detach -- ./train.sh
        martlet run list --project digits
        martlet run logs -f swift-finch-3
        martlet run history swift-finch-3 --keys loss --format csv
      """,
    subcommands: [
      RunStart.self, RunList.self, RunShow.self, RunCompare.self, RunLogs.self, RunSystem.self,
      RunHistory.self, RunStop.self,
      RunFork.self,
      RunRewind.self, RunDelete.self, RunRestore.self, RunTail.self, RunTag.self, RunNote.self,
      RunRename.self,
      RunEdit.self, RunArchive.self, RunLock.self, RunMove.self, RunFiles.self, RunAlerts.self,
      RunEvents.self, RunPreempt.self,
    ],
    defaultSubcommand: RunStart.self)

  /// A command without its `--` would be read as options of martlet and refused for the wrong reason.
  static func refuseCommandWithoutTerminator(_ arguments: [String]) throws {
    guard arguments.first == configuration.commandName, let word = arguments.dropFirst().first,
      !word.hasPrefix("-"), word != "help"
    else { return }
    let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard !verbs.contains(word) else { return }
    let meant = nearest(to: word, in: verbs).map { "Did you mean 'martlet run \($0)'? " } ?? ""
    let command = Words.command(arguments.dropFirst().filter { $0 != "--" })
    throw Failure(
      .usage, "'martlet run' knows no '\(Terminal.plain(word))'.",
      hint: "\(meant)A command to run stands after --: martlet run -- \(command)")
  }

  /// What a list of runs shows.
  static let listFields = [
    Field("id", "ID"),
    Field("name", "Name"),
    Field("project", "Project", dispensability: 2),
    Field("state", "State", .state),
    Field("sweep_name", "Sweep", dispensability: 4),
    Field("created_at", "Created", .time, dispensability: 1),
    Field("started_at", nil, .time),
    Field("ended_at", nil, .time),
    Field("duration_s", "Took", .duration, read: duration),
    Field("last_step", "Step", .number, dispensability: 3),
    Field("points", "Points", .number, dispensability: 5),
    Field("exit_code", nil, .number) { $0["exit"]?["code"] },
    Field("exit_signal", nil, .number) { $0["exit"]?["signal"] },
    Field("exit_reason", nil) { $0["exit"]?["reason"] },
    Field("host", nil),
    Field("created_by", nil),
  ]

  /// Seconds from a start to the end, or until now.
  @Sendable static func duration(_ item: JSONValue) -> JSONValue? {
    guard let start = item["started_at"]?.int else { return nil }
    return .double(Double((item["ended_at"]?.int ?? Words.now) - start) / 1e6)
  }

  /// Where the dashboard shows it.
  static func dashboardPath(_ run: JSONValue) -> String {
    "/p/\(Client.escaped(run["project"]?.string ?? ""))/runs/\(run.id)"
  }
}

extension JSONValue {
  /// The state of a run that the API showed; nil for one this version does not know.
  var runState: RunState? { self["state"]?.string.flatMap(RunState.init(rawValue:)) }
}
