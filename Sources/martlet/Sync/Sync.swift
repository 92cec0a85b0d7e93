// `martlet sync`: sends what spools hold.

import ArgumentParser
import Foundation
import MartletModel

struct Sync: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send what programs kept on disk: offline, cut off, or still going on.",
    discussion: """
      Looks for spools in the directories and below them (docs/spool.md). It may be
      repeated, and run while the programs run: nothing arrives twice. A spool that
      another sender is at is left to it.
      Status 0: all is sent, but for what programs go on writing; 1: something stays
      on disk for another time; 2: the server refused something.

      Examples:
        martlet sync
        martlet sync /scratch/job-17 --url https://martlet.example.org
        martlet sync --follow runs/
      """)

  @Argument(
    help: ArgumentHelp("Directories, or spool files. (default: \(SpoolPlace.usual))", valueName: "dir"))
  var places: [String] = []

  @Flag(name: .long, help: "Go on until the programs have ended; take over from senders that are killed.")
  var follow = false

  @Option(name: .long, help: ArgumentHelp("How long a server may be silent.", valueName: "seconds"))
  var wait = 30.0

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws { try check(wait, of: "--wait") }

  func run() async throws {
    let interrupts = Interrupts()
    var spools: [String] = []
    for place in places.isEmpty ? [SpoolPlace.usual] : places {
      let path = Self.expanded(place)
      guard !places.isEmpty, access(path, F_OK) != 0 else {
        spools += SpoolPlace.spools(in: path).filter { !spools.contains($0) }
        continue
      }
      throw Failure(
        .notFound, "There is no '\(Terminal.plain(place))'.",
        hint: "Name the directory in which a program kept its run: it says so when it ends.")
    }
    guard !spools.isEmpty else {
      if format.format != .table { return try Self.listing([]).print(format.format) }
      let names = (places.isEmpty ? [SpoolPlace.usual] : places).joined(separator: ", ")
      return Terminal.complain("martlet: nothing is left to send in \(names).")
    }
    var crew = SyncCrew(
      spools: spools, connection: connection, patience: .seconds(wait), follows: follow,
      interrupts: interrupts)
    try await crew.work()
    try Self.listing(crew.reports).print(format.format)
    if interrupts.arePending {
      Terminal.complain("martlet: stopped; what is not sent yet stays where it is.")
      throw ExitStatus.interrupted.code
    }
    if crew.reports.contains(where: { $0.state == .refused }) { throw ExitCode(2) }
    if crew.reports.contains(where: { $0.state == .unsent }) { throw ExitStatus.failed.code }
  }

  private static func expanded(_ place: String) -> String {
    let home = CallerEnvironment.current["HOME"] ?? NSHomeDirectory()
    let name = place == "~" || place.hasPrefix("~/") ? home + place.dropFirst() : place
    return URL(fileURLWithPath: name).standardizedFileURL.path
  }

  private static func listing(_ reports: [SpoolReport]) -> Listing {
    Listing(
      items: reports.map(\.json),
      fields: [
        Field("run", "Run"),
        Field("state", "State", .state),
        Field("rows", "Rows", .number),
        Field("files", "Files", .number),
        Field("bytes", "Sent", .bytes),
        Field("message", "Note", dispensability: 1),
        Field("spool", "Spool", dispensability: 2),
      ], whenEmpty: "")
  }
}

/// What became of one spool.
struct SpoolReport {
  enum State: String {
    case sent, running
    /// Its client was killed before it wrote a whole record: it is removed.
    case empty
    /// Another sender is at it.
    case elsewhere
    case unsent, refused
  }

  var spool: String
  var run: String?
  var state = State.unsent
  var rows = 0
  var files = 0
  var bytes: Int64 = 0
  var message: String?

  var json: JSONValue {
    [
      "spool": .string(spool), "run": JSONValue(run), "state": .string(state.rawValue),
      "rows": JSONValue(rows),
      "files": JSONValue(files), "bytes": .int(bytes), "message": JSONValue(message),
    ]
  }
}
