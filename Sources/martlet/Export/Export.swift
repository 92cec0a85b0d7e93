// `martlet export`: runs and their histories as files that any program reads.

import ArgumentParser
import Foundation
import MartletModel

struct Export: AsyncParsableCommand {
  enum Form: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }

  static let configuration = CommandConfiguration(
    abstract: "Write runs and their histories as CSV or JSON lines.",
    discussion: """
      DIR gets runs.csv, a line for each run with its configuration and summary, and
      histories/NAME-ID.csv, a line for each row that the run logged. Without a run,
      project or sweep, all runs are exported.
      With --output - the histories go to standard output, in one table whose first
      column is the run's id.

      Examples:
        martlet export --project digits --output digits
        martlet export swift-finch-3 --format jsonl -o - | gzip > finch.jsonl.gz
        martlet export --sweep digits-grid --keys loss,val_loss --output grid
      """)

  @Argument(help: ArgumentHelp("The runs: ids, or names that are unique.", valueName: "run"))
  var runs: [String] = []

  @Option(name: .long, help: "All runs of this project.")
  var project: String?

  @Option(name: .long, help: "All runs of this sweep: its id, or its name when it is unique.")
  var sweep: String?

  @Option(name: .long, help: "csv or jsonl (a JSON object a line).")
  var format = Form.csv

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Where to: a directory that is not there yet or empty, or -.", valueName: "dir"))
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Only these names in the histories; repeatable, or with commas.", valueName: "names"))
  var keys: [String] = []

  @Flag(name: .long, help: "Only the table of runs.")
  var onlyRuns = false

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if !runs.isEmpty, project != nil || sweep != nil {
      throw ValidationError("Name runs, or narrow with --project and --sweep; not both.")
    }
    if output?.isEmpty == true { throw ValidationError("--output is empty; name a directory, or -.") }
    if onlyRuns, !keys.isEmpty {
      throw ValidationError("--keys is about histories, which --only-runs leaves out.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let selection = try await RunSelection(runs: runs, project: project, sweep: sweep, client)
    let keys = keys.isEmpty ? nil : KeyList.parse(keys)
    var histories = HistoryExport(client: client, form: format, keys: keys)
    guard output != "-" else {
      if onlyRuns {
        _ = try await RunTable(form: format).write(
          selection, to: OutputFile(path: nil), scratch: NSTemporaryDirectory())
      } else {
        try await histories.print(selection.references())
      }
      if histories.count.missing > 0 { throw ExitStatus.failed.code }
      return
    }
    let directory = try ExportDirectory(output ?? Self.defaultName, form: format, withHistories: !onlyRuns)
    var table = RunTable(form: format)
    if !onlyRuns { table.history = { directory.history(of: $0) } }
    let written = try await table.write(
      selection, to: OutputFile(path: directory.runTable), scratch: directory.path)
    var words = Words.count(Int64(written.count), "run")
    if !onlyRuns {
      try await histories.write(written, to: directory)
      words += ", \(Words.count(Int64(histories.count.rows), "row"))"
    }
    try Terminal.say("\(words) in \(directory.path)")
    if histories.count.missing > 0 { throw ExitStatus.failed.code }
  }

  private static var defaultName: String {
    let time = Words.iso(Words.now).prefix(19).filter { $0 != "-" && $0 != ":" }.replacing("T", with: "-")
    return "martlet-export-\(time)"
  }
}

/// Names of metrics on a command line.
enum KeyList {
  /// Names between commas, or given one by one; where one holds a comma, a JSON list.
  static func parse(_ words: [String]) -> [String] {
    words.flatMap { word -> [String] in
      if word.hasPrefix("["), let list = (try? JSONValue.parse(word))?.array {
        return list.compactMap(\.string)
      }
      return word.split(separator: ",").map(String.init)
    }
  }
}
