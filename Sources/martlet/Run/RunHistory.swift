// `martlet run history`: what a run logged, row by row.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct RunHistory: AsyncParsableCommand {
  enum Form: String, ExpressibleByArgument, CaseIterable { case table, json, csv, jsonl }

  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Print what a run logged, row by row, as it came.",
    discussion: """
      A table shows the first 100 rows; all other forms have all of them. Times are
      microseconds since 1970 there.

      Examples:
        martlet run history swift-finch-3 --keys loss,lr --from-step 1000
        martlet run history k2f9a0xy --format csv > finch.csv
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(
    name: .long, help: ArgumentHelp("Only these names; repeatable, or with commas.", valueName: "names"))
  var keys: [String] = []

  @Option(name: .long, help: ArgumentHelp("Only rows of this step or a higher one.", valueName: "n"))
  var fromStep: Int64?

  @Option(name: .long, help: ArgumentHelp("Only rows of this step or a lower one.", valueName: "n"))
  var toStep: Int64?

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("At most this many rows; 0: all. (default: 100 in a table, else all)", valueName: "n"))
  var limit: Int?

  @OptionGroup var connection: ConnectionOptions

  @Option(name: .long, help: "table, json (a list), csv or jsonl (an object a line).")
  var format = Form.table

  private static let shownRows = 100

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit must be 0 or more, not \(limit).") }
    if let fromStep, let toStep, fromStep > toStep {
      throw ValidationError("--from-step \(fromStep) is above --to-step \(toStep): no row lies between.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let keys = keys.isEmpty ? nil : KeyList.parse(keys)
    if let keys { try Self.check(keys, of: found) }
    let rows = limit == 0 ? nil : limit
    var window = HistoryWindow(keys: keys, fromStep: fromStep, toStep: toStep, limit: rows)
    if format == .table, limit == nil { window.limit = Self.shownRows + 1 }
    var pages = HistoryPages(client, run: found.id, window: window)
    let file = try OutputFile(path: nil)
    switch format {
    case .table: return try await printTable(&pages)
    case .jsonl:
      while let lines = try await pages.next() {
        try file.write(lines)
        try file.flush()
      }
    case .json:
      var separator = "["
      while let lines = try await pages.next() {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
          try file.write(separator + "\n  ")
          // Not as it came: JSON has no NaN of its own.
          try file.write(JSONValue.parse(line).bytes())
          separator = ","
        }
      }
      try file.write(separator == "[" ? "[]\n" : "\n]\n")
    case .csv:
      let names = if let keys { keys } else { try await HistoryPages.names(of: found.id, client) }
      try file.write(CSV.line(HistoryPages.fixed + names))
      var table = HistoryTable(names: names)
      var out: [UInt8] = []
      while let lines = try await pages.next() {
        out.removeAll(keepingCapacity: true)
        let cut = try table.append(lines, skipsUnknown: keys != nil, to: &out)
        try file.write(out)
        if cut != nil { break }
      }
    }
    try file.finish()
  }

  /// A name that the run never logged is most likely mistyped.
  private static func check(_ keys: [String], of run: JSONValue) throws {
    let summary = run["summary"]?.object ?? [:]
    if let derived = keys.first(where: { summary[$0]?["derived"]?.bool == true }) {
      throw Failure(
        .notFound, "'\(Terminal.plain(derived))' is derived: a history holds what was logged.",
        hint: "martlet metrics \(run.id) \(Words.command([derived])) --plot draws it.")
    }
    let known = Array(summary.keys)
    guard !known.isEmpty else { return }
    for key in keys where !known.contains(key) {
      let hint = nearest(to: key, in: known).map { "Did you mean '\($0)'? " } ?? ""
      throw Failure(
        .notFound, "Run \(run.id) has logged no '\(Terminal.plain(key))'.",
        hint: "\(hint)martlet metrics \(run.id) shows what it logged.")
    }
  }

  private func printTable(_ pages: inout HistoryPages) async throws {
    var rows: [JSONValue] = []
    while let lines = try await pages.next() {
      rows += try lines.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse($0) }
    }
    let isCut = limit == nil && rows.count > Self.shownRows
    if isCut { rows.removeLast() }
    var names: [String] = []
    var known: Set<String> = []
    for row in rows {
      for name in (row["values"]?.object ?? [:]).keys where known.insert(name).inserted { names.append(name) }
    }
    var fields = [Field("step", "Step", .number), Field("time", "Logged", .time, dispensability: 1)]
    for (index, name) in names.enumerated() {
      fields.append(Field(name, name, .number, dispensability: 2 + index) { $0["values"]?[name] })
    }
    try Listing(items: rows, fields: fields, whenEmpty: "There are no such rows.").print(.table)
    if isCut {
      Terminal.complain(
        "The first \(Self.shownRows) rows are shown; --limit 0 shows all, --from-step those behind.")
    }
  }
}
