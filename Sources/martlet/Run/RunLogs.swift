// `martlet run logs`: what a run wrote to its output.

import ArgumentParser
import Foundation
import MartletModel

/// What `--stream` may say.
enum StreamChoice: String, ExpressibleByArgument, CaseIterable {
  case stdout, stderr, all

  var scope: LogScope {
    switch self {
    case .stdout: .stdout
    case .stderr: .stderr
    case .all: .all
    }
  }
}

struct RunLogs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Print what a run wrote to its output, or find something in it.",
    discussion: """
      Lines are printed as a terminal would show them in the end: of a progress bar,
      its last state. Colours are kept on a terminal. With --raw the bytes come as
      they were written.

      Examples:
        martlet run logs swift-finch-3
        martlet run logs -f --tail 20 k2f9a0xy
        martlet run logs --stream all --times --attempt 1 k2f9a0xy
        martlet run logs --search error --stream all swift-finch-3
        martlet run logs --search 'loss: (nan|inf)' --regex swift-finch-3
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Flag(name: [.short, .long], help: "Go on until the run ends; Ctrl-C leaves it running.")
  var follow = false

  @Option(name: .long, help: "stdout, stderr or all: both as they came. (default: stdout)")
  var stream: StreamChoice?

  @Flag(name: .long, help: "The same as --stream stderr.")
  var stderr = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Of this attempt, or of this client of a run from outside. (default: the newest)", valueName: "n"))
  var attempt: Int?

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("Begin this many lines before the end.", valueName: "n"))
  var tail: Int?

  @Flag(name: .long, help: "Print when each line was written.")
  var times = false

  @Flag(name: .long, help: "Print the bytes as they were written, progress bars and all.")
  var raw = false

  @Option(
    name: .long,
    help: ArgumentHelp("Print the lines that hold this text, with their numbers.", valueName: "text"))
  var search: String?

  @Flag(name: .long, help: "Take what --search looks for as a regular expression.")
  var regex = false

  @Flag(name: .long, help: "Let --search tell capital letters from small ones.")
  var matchCase = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  private var scope: LogScope { stream?.scope ?? (stderr ? .stderr : .stdout) }

  func validate() throws {
    if let tail, tail < 0 { throw ValidationError("--tail must be 0 or more, not \(tail).") }
    if let attempt, attempt < 1 { throw ValidationError("--attempt counts from 1, not \(attempt).") }
    if stderr, stream != nil { throw ValidationError("--stderr and --stream do not go together.") }
    if raw, scope == .all { throw ValidationError("--raw prints one stream: --stream stdout or stderr.") }
    if raw, times || search != nil || format.format != .table {
      throw ValidationError("--raw goes with --follow and --tail alone: bytes have no lines.")
    }
    if follow, search != nil || format.format != .table {
      throw ValidationError("--follow goes neither with --search nor with --format.")
    }
    if search != nil, tail != nil { throw ValidationError("--search looks at all lines: leave out --tail.") }
    if matchCase || regex, search == nil {
      throw ValidationError("--match-case and --regex are for --search.")
    }
  }

  func run() async throws {
    let interrupts = Interrupts()
    var client = PatientClient(try connection.client(), interrupts: interrupts)
    let found = try await client.client.find(.run, run)
    if raw { return try await printBytes(of: found.id, &client, interrupts) }
    var lines = LogLineReader(run: found.id, scope: scope, attempt: attempt)
    if let search { return try await printMatches(of: search, lines, &client, interrupts) }
    if let tail { try await lines.begin(before: tail, &client) }
    var items: [JSONValue] = []
    while true {
      let new = try await lines.next(&client)
      if format.format == .table {
        try Terminal.write(new.map { text(of: $0) + "\n" }.joined(), to: STDOUT_FILENO)
      } else {
        items += new
      }
      if interrupts.take() > 0 { throw ExitStatus.interrupted.code }
      if !new.isEmpty { continue }
      if lines.hasEnded || !follow { break }
      await interrupts.pause(for: .milliseconds(250))
    }
    // What is not closed yet is all that there is of it now.
    let rest = try await lines.rest(&client)
    if format.format == .table {
      try Terminal.write(rest.map { text(of: $0) + "\n" }.joined(), to: STDOUT_FILENO)
    } else {
      try Listing(items: items + rest, fields: Self.fields, whenEmpty: "").print(format.format)
    }
  }

  private static let fields = [
    Field("n", nil, .number), Field("at", nil, .time), Field("stream", nil), Field("text", nil),
  ]

  /// A line as it is printed: what is no terminal gets no colours.
  private func text(of line: JSONValue) -> String {
    let text = line["text"]?.string ?? ""
    let shown = Terminal.usesColor ? text : LogLineReader.withoutColors(text)
    guard times else { return shown }
    let time = line["at"]?.int.map(Words.iso) ?? ""
    return time.padding(toLength: max(time.count, 27), withPad: " ", startingAt: 0) + " " + shown
  }

  // MARK: - Search

  private func printMatches(
    of text: String, _ lines: LogLineReader, _ client: inout PatientClient, _ interrupts: Interrupts
  ) async throws {
    var items: [JSONValue] = []
    var (after, isComplete, isFound): (Int64?, Bool, Bool) = (nil, true, false)
    repeat {
      let page = try await lines.matches(
        of: text, isRegex: regex, matchCase: matchCase, after: after, &client)
      isFound = isFound || page["count"]?.int ?? 0 > 0
      // What a page did not look through, the next one does.
      isComplete = page["complete"]?.bool ?? true
      let new = page["items"]?.array ?? []
      if format.format == .table {
        for item in new { try Terminal.say("\((item["n"]?.int ?? 0) + 1): \(self.text(of: item))") }
      } else {
        items += new
      }
      after = page["next"]?.int
      if interrupts.take() > 0 { throw ExitStatus.interrupted.code }
    } while after != nil
    if format.format != .table {
      try Listing(items: items, fields: Self.fields, whenEmpty: "").print(format.format)
    }
    if !isComplete {
      Terminal.complain("martlet: the time was over before all of the log was searched.")
    }
    // As grep has it.
    if !isFound { throw ExitStatus.failed.code }
  }

  // MARK: - Bytes

  private func printBytes(
    of id: String, _ client: inout PatientClient, _ interrupts: Interrupts
  ) async throws {
    var log = LogReader(run: id, stream: scope == .stderr ? .stderr : .stdout, attempt: attempt)
    if let tail { try Terminal.write(try await log.last(lines: tail, &client), to: STDOUT_FILENO) }
    while true {
      let text = try await log.next(&client)
      if !text.isEmpty {
        try Terminal.write(text, to: STDOUT_FILENO)
      } else if log.hasEnded || !follow {
        return
      } else {
        await interrupts.pause(for: .milliseconds(250))
      }
      if interrupts.take() > 0 { throw ExitStatus.interrupted.code }
    }
  }
}
