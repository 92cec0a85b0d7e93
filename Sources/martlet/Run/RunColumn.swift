// One column of a table of runs that was asked for by the name of a field.

import MartletModel
import OrderedCollections

/// A field of the filter language, read from a run as the API shows it.
struct RunColumn: Sendable {
  let field: FilterField

  /// Reads a comma list of fields; a comma in back-quotes is part of a name.
  ///
  /// - Throws: `Failure` for what is no field.
  static func list(_ text: String) throws(Failure) -> [RunColumn] {
    var parts = [""]
    var isQuoted = false
    for character in text {
      if character == "`" { isQuoted.toggle() }
      if character == ",", !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    var columns: [RunColumn] = []
    for part in parts {
      guard let field = FilterField(part.trimmingSpaces) else {
        throw Failure(
          .usage, "'\(Terminal.plain(part))' is no field.",
          hint: "Fields are like name, lr, optimizer.name or val/loss.min; odd names stand in `back-quotes`.")
      }
      columns.append(RunColumn(field: field))
    }
    return columns
  }

  var listed: Field {
    let column = self
    let kind: Field.Kind =
      switch attribute {
      case .created, .started, .ended: .time
      case .duration: .duration
      case .state: .state
      default: .text
      }
    return Field(field.text, field.text, kind) { column.value(of: $0) }
  }

  private var attribute: FilterAttribute? {
    field.pieces.count == 1 && !field.pieces[0].isQuoted ? FilterAttribute(rawValue: field.name) : nil
  }

  func value(of run: JSONValue) -> JSONValue? {
    if let attribute { return Self.value(of: attribute, run) }
    let name = field.name
    if name.hasPrefix("config."), let found = Self.config(String(name.dropFirst(7)), run) { return found }
    if name.hasPrefix("summary."), let set = run["summary"]?[String(name.dropFirst(8))]?["value"] {
      return set
    }
    if let last = field.pieces.last, !last.isQuoted, let dot = name.lastIndex(of: "."),
      let aggregate = FilterAggregate(String(name[name.index(after: dot)...])),
      let metric = run["summary"]?[String(name[..<dot])]
    {
      return metric[aggregate.text]
    }
    if let metric = run["summary"]?[name] { return metric["last"] ?? metric["value"] }
    return Self.config(name, run)
  }

  private static func config(_ path: String, _ run: JSONValue) -> JSONValue? {
    ConfigLeaves.leaves(of: run["config"] ?? [:]).first { $0.path == path }?.value.json
  }

  private static func value(of attribute: FilterAttribute, _ run: JSONValue) -> JSONValue? {
    switch attribute {
    case .state, .name, .id, .project, .group, .host: run[attribute.rawValue]
    case .job: run["job_type"]
    case .user: run["created_by"]
    case .created: run["created_at"]
    case .started: run["started_at"]
    case .ended: run["ended_at"]
    case .duration: RunGroup.duration(run)
    case .sweep: run["sweep_name"]
    case .tag: joined(run["tags"])
    case .device: joined(run["devices"])
    case .flow: nil
    }
  }

  private static func joined(_ list: JSONValue?) -> JSONValue? {
    guard let items = list?.array, !items.isEmpty else { return nil }
    return .string(items.map(Words.value).joined(separator: " "))
  }
}

extension StringProtocol {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
