// `martlet run logs`: what a run wrote, as it wrote it.

import ArgumentParser
import Foundation
import MartletModel

struct RunLogs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Print what a run wrote to its output.",
    discussion: """
      Examples:
        martlet run logs swift-finch-3
        martlet run logs -f --tail 20 k2f9a0xy
        martlet run logs --stderr --attempt 1 k2f9a0xy
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Flag(name: [.short, .long], help: "Go on until the run ends; Ctrl-C leaves it running.")
  var follow = false

  @Flag(name: .long, help: "Standard error instead of standard output.")
  var stderr = false

  @Option(name: .long, help: ArgumentHelp("Of this attempt. (default: the newest)", valueName: "n"))
  var attempt: Int?

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("Begin this many lines before the end.", valueName: "n"))
  var tail: Int?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if let tail, tail < 0 { throw ValidationError("--tail must be 0 or more, not \(tail).") }
    if let attempt, attempt < 1 { throw ValidationError("--attempt counts from 1, not \(attempt).") }
  }

  func run() async throws {
    let interrupts = Interrupts()
    var client = PatientClient(try connection.client(), interrupts: interrupts)
    let found = try await client.client.find(.run, run)
    var log = LogReader(run: found.id, stream: stderr ? .stderr : .stdout, attempt: attempt)
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
