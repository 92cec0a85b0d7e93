// `martlet sweep run`: from a sweep file to a ranked table.

import ArgumentParser
import Foundation
import MartletFormats
import MartletModel
import MartletServer
import OrderedCollections

struct SweepRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a sweep and follow it to its ranked table.",
    discussion: """
      Starts a server on the data directory when none is up. Ctrl-C asks whether
      to detach or to stop; without a terminal it detaches. Trials start in the
      directory of the file.

      To look for a mistake, --attach runs one trial at a time and shows the output
      of each as it comes; Ctrl-C then stops the trial, and again the sweep.

      Examples:
        martlet sweep run sweep.yaml
        martlet sweep run sweep.yaml --dry-run
        martlet sweep run sweep.yaml --output out --project digits
        martlet sweep run sweep.yaml -- python train.py
        martlet sweep run sweep.yaml --attach --fail-fast
      """)

  /// How many rows of the ranking a table shows.
  static let shownTrials = 20

  @Argument(help: "The sweep file, YAML or JSON.")
  var file: String

  @Option(name: .long, help: "The directory in which the sweep's results folder is made.")
  var output: String?

  @Option(name: .long, help: "The project it belongs to. (default: the file's)")
  var project: String?

  @Option(name: .long, help: "What it is called. (default: the file's name: key, or what the file is called)")
  var name: String?

  @Flag(name: .long, help: "Print the sweep's id and leave it running.")
  var detach = false

  @Flag(name: .long, help: "Show what it would do, and start nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Show all trials at the end, not the best 20.")
  var all = false

  @Flag(name: .long, help: "One trial at a time, whatever the file says.")
  var sequential = false

  @Flag(name: .long, help: "Show each trial's output as it comes; one at a time, as with --sequential.")
  var attach = false

  @Flag(name: .long, help: "Stop the sweep when the first trial has failed; status 1.")
  var failFast = false

  @OptionGroup var connection: ConnectionOptions

  @Argument(parsing: .postTerminator, help: "The program to run instead of the file's, after --.")
  var command: [String] = []

  func validate() throws {
    guard detach else { return }
    for (isGiven, option) in [(attach, "--attach"), (failFast, "--fail-fast")] where isGiven {
      throw ValidationError("\(option) is for who stays; it does not go with --detach.")
    }
  }

  func run() async throws {
    let source = try readSource()
    let specification = try check(source)
    if dryRun { return try await showPlan(specification, source) }
    let client = try await connection.clientStartingServer()
    // From here on Ctrl-C must know of the sweep.
    let interrupts = Interrupts()
    let sweep = try await client.send(.post, "/sweeps", body: request(source))
    let name = Terminal.plain(sweep["name"]?.string ?? "")
    if detach {
      Terminal.complain(
        "martlet: started sweep '\(name)'; martlet sweep show \(sweep.id)\(client.place.suffix) shows it.")
      return try Terminal.say(sweep.id)
    }
    try await introduce(sweep, client: client)
    let (outcome, firstFailure, current) = try await follow(sweep, client: client, interrupts: interrupts)
    if case .detached(let status) = outcome {
      Terminal.complain(
        """
        martlet: detached; sweep '\(name)' goes on.
          martlet sweep show \(sweep.id)\(client.place.suffix) shows it,
          martlet sweep stop \(sweep.id)\(client.place.suffix) stops it.
        """)
      throw status.code
    }
    guard case .ended(let end, let status) = outcome else { return }
    try await conclude(end, checkpoint: specification.checkpoint, client: current)
    if attach || failFast, let firstFailure { try await show(firstFailure, client: current) }
    if status != .done { throw status.code }
  }

  /// What it would do, as the server says that is up, or by the file alone.
  private func showPlan(_ specification: SweepSpecification, _ source: String) async throws {
    let place = try connection.place()
    var plan: JSONValue?
    if let client = try place.client() {
      do {
        plan = try await client.send(.post, "/sweep-plan", body: request(source))
      } catch let failure as Failure where failure.status == .unavailable && place.isLocal {
        // What announced itself there is up no more.
      }
    }
    if plan == nil {
      let imported = specification.warmStart.isEmpty ? ImportedTrials() : nil
      plan = try SweepPlan(specification, imported: imported).json
    }
    guard let plan else { return }
    for line in SweepPlanText(plan: plan).lines { try Terminal.say(line) }
  }

  /// How it ended, which trial failed first, and the client that reached the server last.
  private func follow(
    _ sweep: JSONValue, client: Client, interrupts: Interrupts
  ) async throws -> (SweepFollower.Outcome, JSONValue?, Client) {
    if attach {
      var attachment = SweepAttachment(
        sweep: sweep, client: client, interrupts: interrupts, isFailFast: failFast)
      let outcome = try await attachment.follow()
      return (outcome, attachment.firstFailure, attachment.currentClient)
    }
    var follower = SweepFollower(
      sweep: sweep, client: client, interrupts: interrupts, isFailFast: failFast)
    let outcome = try await follower.follow()
    return (outcome, follower.firstFailure, follower.currentClient)
  }

  /// Why the first trial that failed did.
  private func show(_ trial: JSONValue, client: Client) async throws {
    let name = Terminal.plain(trial["run_name"]?.string ?? "")
    let reason = RankedTrials.reason(of: trial).map { " \(Terminal.plain($0))" } ?? ""
    try Terminal.say(
      "\n\(Style.bad.paint("First failure", if: Terminal.usesColor))  trial \((trial["number"]?.int ?? 0) + 1), \(name):\(reason)"
    )
    guard let run = trial["run"]?.string else { return }
    let piece = try await client.send(
      .get, "/runs/\(run)/logs", query: [("stream", "stderr"), ("offset", "-65536"), ("limit", "65536")])
    let lines = Traceback.last(in: piece["text"]?.string ?? "").split(separator: "\n")
    for line in lines { try Terminal.say("  " + Terminal.plain(String(line))) }
  }

  /// Reads the file; a wrong one is refused before any server is started.
  private func check(_ source: String) throws -> SweepSpecification {
    let specification: SweepSpecification
    do {
      specification = try SweepSpecification.read(
        source: source, filename: file, command: command.isEmpty ? nil : command)
    } catch {
      throw Failure(
        .wrongInput, error.description, hint: "Correct the file and run it again; nothing was started.")
    }
    for note in specification.notes { Terminal.complain("martlet: \(file): \(note)") }
    if try connection.place().isOnThisMachine {
      try ProgramCheck(
        file: file, specification: specification, isCommandGiven: !command.isEmpty,
        environment: CallerEnvironment.forRuns
      ).check()
    }
    return specification
  }

  private func readSource() throws -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) else {
      throw Failure(
        .notFound, "There is no file '\(file)'.", hint: nearestFile.map { "Did you mean '\($0)'?" })
    }
    guard !isDirectory.boolValue else {
      throw Failure(.notFound, "'\(file)' is a directory.", hint: "Name the sweep file in it.")
    }
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw Failure(.notFound, "'\(file)' may not be read by this account.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.wrongInput, "'\(file)' is no text in UTF-8.", hint: "A sweep file is YAML or JSON.")
    }
    return text
  }

  private var nearestFile: String? {
    let url = URL(fileURLWithPath: file)
    let folder = url.deletingLastPathComponent()
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else { return nil }
    guard let name = nearest(to: url.lastPathComponent, in: names.sorted()) else { return nil }
    return file.contains("/") ? file.dropLast(url.lastPathComponent.count) + name : name
  }

  private func request(_ source: String) -> JSONValue {
    let url = URL(fileURLWithPath: file).standardizedFileURL
    let environment = CallerEnvironment.forRuns.sorted { $0.key < $1.key }
    var body: JSONObject = [
      "source": .string(source),
      "filename": .string(url.lastPathComponent),
      "workdir": .string(url.deletingLastPathComponent().path),
      "environment": .object(
        JSONObject(uniqueKeysWithValues: environment.map { ($0.key, .string($0.value)) })),
      "client_version": .string(martletVersion),
    ]
    if let name { body["name"] = .string(name) }
    if let project { body["project"] = .string(project) }
    if sequential || attach { body["max_parallel"] = 1 }
    if !command.isEmpty { body["command"] = JSONValue(command) }
    if let output { body["output"] = .string(URL(fileURLWithPath: output).standardizedFileURL.path) }
    return .object(body)
  }

  private func introduce(_ sweep: JSONValue, client: Client) async throws {
    let trials = sweep["budget"]?.int.map { Words.count($0, "trial") } ?? "trials without end"
    var line = "Sweep '\(Terminal.plain(sweep["name"]?.string ?? ""))' (\(sweep.id)): \(trials)"
    if let parallel = sweep["max_parallel"]?.int {
      line += parallel == 0 ? ", run by agents" : ", \(parallel) at a time"
    }
    if let goal = sweep.goalInWords { line += ", \(goal)" }
    try Terminal.say(line)
    if sweep["max_parallel"]?.int == 0 {
      try Terminal.say("Agents      martlet agent \(sweep.id)\(client.place.suffix)")
    }
    if let folder = sweep["output_dir"]?.string, !folder.isEmpty { try Terminal.say("Results     \(folder)") }
    try Terminal.say("Dashboard   \(try await client.dashboardLink(path: SweepGroup.dashboardPath(sweep)))\n")
  }

  private func conclude(_ sweep: JSONValue, checkpoint: String, client: Client) async throws {
    let ranked = try await RankedTrials.read(sweep, from: client)
    try Terminal.say("")
    try ranked.print(.table, limit: all ? nil : Self.shownTrials)
    try Terminal.say("")
    let state = sweep["state"]?.string ?? "ended"
    let reason = sweep["state_reason"]?.string.map { ": \($0)" } ?? "."
    let word = Style(state: state)?.paint(state, if: Terminal.usesColor) ?? state
    try Terminal.say("Sweep \(word)\(reason)")
    try await ranked.printPlaces(client: client, checkpoint: checkpoint)
  }
}
