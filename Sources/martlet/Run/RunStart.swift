// `martlet run -- CMD`: any command as a run, followed as if it ran here.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct RunStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Run a command and keep its record; 'martlet run -- CMD' means this.",
    discussion: """
      It runs in this directory with this environment. Its exit status becomes
      martlet's: 128 and the signal's number when a signal ended it, 124 after its
      time limit, 127 when it could not be started. Ctrl-C stops it; a second time
      kills it.

      Examples:
        martlet run -- python train.py --lr 0.1
        martlet run --project digits --name baseline --timeout 2h --detach -- ./train.sh
        martlet run --gpus 2 --gpu-memory 20GB --retries infra=3 -- python train.py
      """)

  @Option(name: .long, help: "The project it belongs to. (default: MARTLET_PROJECT, or default)")
  var project: String?

  @Option(name: .long, help: "What the run is called. (default: adjective-bird-number)")
  var name: String?

  @Option(name: .long, help: ArgumentHelp("How long it may take: 90s, 30m, 12h, 2d.", valueName: "span"))
  var timeout: String?

  @Flag(name: .long, help: "Print the run's id and leave it running.")
  var detach = false

  @OptionGroup(title: "Needs") var resources: ResourceOptions
  @OptionGroup(title: "When it goes wrong") var trying: RetryOptions
  @OptionGroup var connection: ConnectionOptions

  @Argument(help: ArgumentHelp("Nothing but options stands before --.", visibility: .private))
  var misplaced: String?

  @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
  var command: [String] = []

  func validate() throws {
    if let misplaced {
      let words = Words.command([misplaced] + command)
      throw ValidationError(
        "Only options stand before --; the command comes after it: martlet run -- \(words)")
    }
    guard let program = command.first else {
      throw ValidationError("There is no command. It stands after --: martlet run -- python train.py")
    }
    guard !program.isEmpty else { throw ValidationError("The command's name is empty.") }
    if let timeout, Words.seconds(timeout) == nil {
      throw ValidationError("--timeout '\(timeout)' is no time span; write 90s, 30m, 12h or 2d.")
    }
    try check(timeout.flatMap(Words.seconds), of: "--timeout")
  }

  func run() async throws {
    let client = try await connection.clientStartingServer()
    let environment = CallerEnvironment.forRuns
    let inherited = CallerEnvironment.current["MARTLET_PROJECT"].flatMap { $0.isEmpty ? nil : $0 }
    var body: JSONObject = [
      "project": .string(project ?? inherited ?? "default"),
      "command": JSONValue(command),
      "workdir": .string(FileManager.default.currentDirectoryPath),
      "environment": .object(
        JSONObject(
          uniqueKeysWithValues: environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
    ]
    if let name { body["name"] = .string(name) }
    if let seconds = timeout.flatMap(Words.seconds) { body["timeout_s"] = .double(seconds) }
    body.merge(try resources.members()) { $1 }
    body.merge(try trying.members()) { $1 }
    let interrupts = Interrupts()
    let run = try await client.send(.post, "/executions", body: .object(body))
    if resources.gpus == nil { await Self.tellOfDevices(client) }
    if detach {
      let name = Terminal.plain(run["name"]?.string ?? "")
      Terminal.complain(
        "martlet: started run '\(name)'; martlet run logs -f \(run.id)\(client.place.suffix) follows it.")
      return try Terminal.say(run.id)
    }
    var follower = RunFollower(run: run, client: client, interrupts: interrupts)
    throw ExitCode(try await follower.follow())
  }

  /// A program that looks for a GPU finds none where they are shared out and it asked for none: that is said, and no
  /// more, so it does not matter when it cannot be.
  private static func tellOfDevices(_ client: Client) async {
    guard let devices = try? await client.send(.get, "/status")["devices"]?.array, !devices.isEmpty else {
      return
    }
    let count = Words.count(Int64(devices.count), "device")
    Terminal.complain(
      "martlet: the server shares out \(count), and this run sees none: --gpus 1 asks for one.")
  }
}
