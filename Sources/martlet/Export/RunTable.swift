// Runs as one table: configuration and summaries as columns.

import Foundation
import MartletModel
import OrderedCollections

struct RunTable {
  let form: Export.Form
  /// Where a history lies, from the table's directory on; nil: there are none.
  var history: (@Sendable (RunReference) -> String)?

  /// Writes the table and says which runs are in it.
  func write(_ selection: RunSelection, to file: OutputFile, scratch: String) async throws -> [RunReference] {
    do {
      switch form {
      case .jsonl:
        return try await writeLines(selection) {
          try file.write($0)
        } finish: {
          try file.finish()
        }
      case .csv: return try await writeColumns(selection, to: file, scratch: scratch)
      }
    } catch {
      file.discard()
      throw error
    }
  }

  /// The API's objects, a line each.
  private func writeLines(
    _ selection: RunSelection, _ take: ([UInt8]) throws -> Void, finish: () throws -> Void
  ) async throws -> [RunReference] {
    var runs: [RunReference] = []
    try await selection.each { run in
      let reference = RunReference(id: run.id, name: run["name"]?.string ?? "")
      var line = run
      if let history { line = line.merging(["history": .string(history(reference))]) }
      try take(line.bytes() + [UInt8(ascii: "\n")])
      runs.append(reference)
    }
    try finish()
    return runs
  }

  /// Which columns there are is known when all runs are read: they wait in a file without a name.
  private func writeColumns(
    _ selection: RunSelection, to file: OutputFile, scratch: String
  ) async throws -> [RunReference] {
    let lines = try ScratchLines(in: scratch)
    var config = Flattening(prefix: "config")
    var summary: OrderedSet<String> = []
    let runs = try await writeLines(selection) { line in
      try lines.append(line)
      guard let run = try? JSONValue.parse(line) else { return }
      config.learn(run["config"])
      for (name, metric) in run["summary"]?.object ?? [:] {
        for (member, value) in metric.object ?? [:] where Self.aggregates.contains(member) && !value.isNull {
          summary.append("\(name).\(member)")
        }
      }
    } finish: {
    }
    let fields = Self.fields + (history == nil ? [] : [Field("history", nil)])
    try file.write(
      CSV.line(fields.map(\.key) + config.columns.map(\.name) + summary.map { "summary.\($0)" }))
    try lines.each { line in
      let run = try JSONValue.parse(line)
      let values = config.values(of: run["config"])
      var aggregates: [String: String] = [:]
      for (name, metric) in run["summary"]?.object ?? [:] {
        for (member, value) in metric.object ?? [:] { aggregates["\(name).\(member)"] = Self.text(value) }
      }
      try file.write(
        CSV.line(fields.map { $0.exact(run) } + values + summary.map { aggregates[$0] ?? "" }))
    }
    try file.finish()
    return runs
  }

  /// What of a metric's summary becomes a column.
  private static let aggregates: Set<String> = [
    "value", "last", "last_step", "best", "best_step", "min", "min_step", "max", "max_step", "mean", "count",
    "nan_count",
  ]

  /// A value in full; lists and objects as JSON.
  static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null: ""
    case .string(let text): text
    case .some(let value): value.text
    }
  }

  private static let fields =
    RunGroup.listFields + [
      Field("sweep", nil),
      Field("trial", nil, .number),
      Field("group", nil),
      Field("job_type", nil),
      Field("tags", nil),
      Field("notes", nil),
      Field("command", nil),
      Field("workdir", nil),
      Field("run_dir", nil),
      Field("pid", nil, .number),
      Field("python", nil),
      Field("git_commit", nil) { $0["git"]?["commit"] },
      Field("git_branch", nil) { $0["git"]?["branch"] },
      Field("git_dirty", nil) { $0["git"]?["dirty"] },
      Field("git_remote", nil) { $0["git"]?["remote"] },
      Field("last_seen_at", nil, .time),
      Field("attempts", nil, .number),
    ]
}

/// Nested objects as columns with dotted names.
struct Flattening {
  let prefix: String
  private(set) var columns: [(name: String, path: [String])] = []
  private var paths: [[String]: Int] = [:]
  private var names: Set<String> = []

  init(prefix: String) { self.prefix = prefix }

  /// Adds the columns that `value` needs.
  mutating func learn(_ value: JSONValue?) {
    Self.walk(value, []) { path, _ in
      guard paths[path] == nil else { return }
      var name = ([prefix] + path).joined(separator: ".")
      // {"a.b": 1} beside {"a": {"b": 2}}: two columns, whichever came first has the plain name.
      if names.contains(name) {
        name = ([prefix] + path.map { $0.replacing(".", with: "\\.") }).joined(separator: ".")
      }
      while names.contains(name) { name += "'" }
      names.insert(name)
      paths[path] = columns.count
      columns.append((name, path))
    }
  }

  /// A cell for each column.
  func values(of value: JSONValue?) -> [String] {
    var cells = [String](repeating: "", count: columns.count)
    Self.walk(value, []) { path, leaf in
      if let column = paths[path] { cells[column] = RunTable.text(leaf) }
    }
    return cells
  }

  private static func walk(_ value: JSONValue?, _ path: [String], _ visit: ([String], JSONValue) -> Void) {
    guard let value else { return }
    if let members = value.object, !members.isEmpty || path.isEmpty {
      for (key, member) in members { walk(member, path + [key], visit) }
    } else {
      visit(path, value)
    }
  }
}
