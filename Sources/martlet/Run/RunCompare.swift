// `martlet run compare`: what runs differ in.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunCompare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: parameters, metrics and environment side by side.",
    discussion: """
      Only what differs is shown, unless --all asks for everything.

      Examples:
        martlet run compare swift-finch-1 calm-owl-2
        martlet run compare --project digits --filter 'tag:ablation' --sort val/loss.min --format md
        martlet run compare k2f9a0xy zz81kq0p --only params --format csv
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv, md }

  enum Section: String, ExpressibleByArgument, CaseIterable { case params, metrics, env }

  @Argument(help: "Runs by id, or by name where it is unique.")
  var runs: [String] = []

  @Option(name: .long, help: "Instead of named runs: this project's.")
  var project: String?

  @Option(
    name: [.customShort("q"), .long],
    help: ArgumentHelp("Instead of named runs: those that this holds for.", valueName: "filter"))
  var filter: String?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The order of runs that were not named.", valueName: "order"))
  var sort: String?

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("At most this many that were not named.", valueName: "n"))
  var limit = 20

  @Option(name: .long, help: "Only params, metrics or env; repeatable.")
  var only: [Section] = []

  @Flag(name: .long, help: "Also what is the same in all.")
  var all = false

  @Option(name: .long, help: "table, json, csv or md (Markdown).")
  var format = Format.table

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    let isAsked = project != nil || filter != nil
    guard runs.isEmpty != !isAsked else {
      throw ValidationError(
        runs.isEmpty
          ? "Which runs? Name two or more, or give --project or --filter."
          : "Runs are named, or asked for with --project and --filter: not both.")
    }
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more, not \(limit).") }
  }

  func run() async throws {
    let client = try connection.client()
    var found: [JSONValue] = []
    if runs.isEmpty {
      found = try await client.items(
        "/runs", query: [("project", project), ("q", filter), ("sort", sort)], limit: limit)
    } else {
      for name in runs { found.append(try await client.find(.run, name)) }
    }
    var whole: [JSONValue] = []
    // Lists leave environments out.
    for run in found { whole.append(try await client.send(.get, "/runs/\(run.id)")) }
    guard whole.count > 1 else {
      throw Failure(
        .usage,
        "There \(whole.isEmpty ? "is no such run" : "is only one such run"), and comparing takes two.",
        hint: "martlet run list\(client.place.suffix) shows the runs there are.")
    }
    let comparison = RunComparison(
      whole, sections: only.isEmpty ? Section.allCases : only, onlyDifferent: !all)
    try comparison.print(format)
  }
}

/// Runs side by side.
struct RunComparison {
  struct Line {
    var section: RunCompare.Section
    var name: String
    /// One for each run.
    var values: [JSONValue?]
  }

  let runs: [JSONValue]
  let lines: [Line]

  init(_ runs: [JSONValue], sections: [RunCompare.Section], onlyDifferent: Bool) {
    self.runs = runs
    var lines: [Line] = []
    for section in RunCompare.Section.allCases where sections.contains(section) {
      let facts = runs.map { Self.facts(section, $0) }
      var names = OrderedSet<String>()
      for fact in facts { names.formUnion(fact.keys) }
      for name in names {
        let values = facts.map { $0[name] }
        guard !onlyDifferent || Set(values.map { $0?.text }).count > 1 else { continue }
        lines.append(Line(section: section, name: name, values: values))
      }
    }
    self.lines = lines
  }

  private static func facts(_ section: RunCompare.Section, _ run: JSONValue) -> JSONObject {
    var facts: JSONObject = [:]
    switch section {
    case .params:
      for (path, value) in ConfigLeaves.leaves(of: run["config"] ?? [:]) { facts[path] = value.json }
    case .metrics:
      for (name, summary) in run["summary"]?.object ?? [:] {
        if let best = summary["best"], !best.isNull { facts["\(name).best"] = best }
        if let last = summary["last"] ?? summary["value"] { facts[name] = last }
      }
    case .env:
      for key in ["host", "hardware", "python", "workdir"] {
        if let value = run[key], !value.isNull { facts[key] = value }
      }
      if let command = run["command"]?.array {
        facts["command"] = .string(Words.command(command.compactMap(\.string)))
      }
      for (key, value) in run["git"]?.object ?? [:] where !value.isNull { facts["git.\(key)"] = value }
      for (path, value) in ConfigLeaves.leaves(of: run["environment"] ?? [:]) where value != .null {
        facts[path] = value.json
      }
    }
    return facts
  }

  func print(_ format: RunCompare.Format) throws(OutputClosed) {
    switch format {
    case .json: try Terminal.say(String(decoding: json.bytes(indented: true), as: UTF8.self))
    case .csv: try listing.print(.csv)
    case .md: try Terminal.say(markdown)
    case .table:
      guard !lines.isEmpty else { return Terminal.complain("These runs differ in nothing.") }
      for section in RunCompare.Section.allCases {
        var part = self.listing
        part.items = part.items.filter { $0["section"]?.string == section.rawValue }
        guard !part.items.isEmpty else { continue }
        try Terminal.say("\n\(Self.title(section))")
        try part.print(.table)
      }
    }
  }

  private static func title(_ section: RunCompare.Section) -> String {
    switch section {
    case .params: "Parameters"
    case .metrics: "Metrics"
    case .env: "Environment"
    }
  }

  private var listing: Listing {
    let items = lines.map { line -> JSONValue in
      [
        "section": .string(line.section.rawValue), "name": .string(line.name),
        "values": .array(line.values.map { $0 ?? .null }),
      ]
    }
    var fields = [Field("section", nil), Field("name", "")]
    for (place, run) in runs.enumerated() {
      let name = run["name"]?.string ?? run.id
      let isUnique = runs.count { $0["name"] == run["name"] } == 1
      fields.append(
        Field(run.id, isUnique ? name : "\(name) \(run.id)") { line in
          let value = line["values"]?.array?[place]
          return value?.isNull ?? true ? nil : value
        })
    }
    return Listing(items: items, fields: fields, whenEmpty: "These runs differ in nothing.")
  }

  private var json: JSONValue {
    var sections: JSONObject = [:]
    for line in lines {
      var part = sections[line.section.rawValue]?.object ?? [:]
      part[line.name] = .array(line.values.map { $0 ?? .null })
      sections[line.section.rawValue] = .object(part)
    }
    let shown = runs.map { run -> JSONValue in
      ["id": .string(run.id), "name": run["name"] ?? .null, "project": run["project"] ?? .null]
    }
    return ["runs": .array(shown), "sections": .object(sections)]
  }

  private var markdown: String {
    let table = listing.fields.dropFirst()
    func row(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ")
        + " |"
    }
    var text = [row(table.map { $0.title ?? $0.key }), row(table.map { _ in "---" })]
    text += listing.items.map { item in row(table.map { $0.cell(item).text }) }
    return text.joined(separator: "\n")
  }
}
