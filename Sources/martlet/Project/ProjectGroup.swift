// `martlet project`: the drawers of runs, and what is derived in them.

import ArgumentParser

struct ProjectGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project",
    abstract: "List, show and describe projects; define metrics that are derived from others.",
    discussion: """
      Examples:
        martlet project list
        martlet project derive digits gap 'val/loss - train/loss' --goal minimize
        martlet project derived digits
      """,
    subcommands: [
      ProjectList.self, ProjectShow.self, ProjectDescribe.self, ProjectDerive.self, ProjectDerived.self,
      ProjectUnderive.self,
    ])

  /// What a project shows.
  static let fields = [
    Field("id", nil),
    Field("name", "Name"),
    Field("runs", "Runs", .number),
    Field("running", "Running", .number),
    Field("sweeps", "Sweeps", .number),
    Field("last_activity_at", "Last activity", .time, dispensability: 1),
    Field("created_at", nil, .time),
    Field("created_by", nil),
    Field("description", "Description", dispensability: 2),
  ]

  /// What a derived metric shows.
  static let derivedFields = [
    Field("name", "Name"),
    Field("expression", "Expression"),
    Field("goal", "Goal", dispensability: 1),
    Field("description", "Description", dispensability: 2),
    Field("created_at", nil, .time),
    Field("created_by", nil),
  ]
}

extension Client {
  /// Where the API has a project, or something of it.
  static func path(ofProject name: String, _ rest: String = "") -> String {
    "/projects/\(escaped(name))\(rest)"
  }
}
