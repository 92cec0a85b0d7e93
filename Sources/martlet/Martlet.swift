// The command line's root: parses, runs one command, and turns whatever went wrong into a message and a status.

import ArgumentParser
import Foundation
import MartletServer

@main
struct Martlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Runs, watches and keeps machine-learning experiments.",
    discussion: """
      Examples:
        martlet sweep run sweep.yaml      run a sweep and follow it
        martlet run -- python train.py    run one command and keep its record
        martlet up                        start the server and the dashboard
        martlet backup /backups/tonight   copy all of it, while it runs

      Exit codes: 0 done, 1 what was run failed, 64 usage, 65 wrong file,
      66 not found, 69 no server, 70 internal, 73 cannot write, 75 port or
      directory in use, 77 not allowed, 130 interrupted.
      """,
    version: "martlet \(martletVersion)",
    subcommands: [Version.self],
    groupedSubcommands: [
      CommandGroup(
        name: "Experiments:",
        subcommands: [
          RunGroup.self, SweepGroup.self, AgentCommand.self, ProjectGroup.self, Metrics.self, Export.self,
          Sync.self, Probe.self,
        ]),
      CommandGroup(
        name: "Server:",
        subcommands: [
          Up.self, Down.self, Status.self, PoolGroup.self, Doctor.self, Backup.self, TokenGroup.self,
          Monitor.self,
        ]),
    ])
  static func main() async {
    // A reader that went away (`martlet run list | head`) is noticed by write(2), not by a deadly signal.
    signal(SIGPIPE, SIG_IGN)
    CallerEnvironment.capture()
    do {
      try RunGroup.refuseCommandWithoutTerminator(Array(CommandLine.arguments.dropFirst()))
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      finish(after: error)
    }
  }

  private static func finish(after error: any Error) -> Never {
    switch error {
    case is OutputClosed:
      exit(ExitStatus.done)
    case let failure as Failure:
      failure.report()
      exit(failure.status)
    case let code as ExitCode:
      Foundation.exit(code.rawValue)
    default:
      let text = fullMessage(for: error)
      let code = exitCode(for: error)
      if code.isSuccess {
        try? Terminal.write(text + "\n", to: STDOUT_FILENO)
        exit(ExitStatus.done)
      }
      let parserPrefix = "Error: "
      let isUsage = code == .validationFailure
      let message = text.hasPrefix(parserPrefix) ? String(text.dropFirst(parserPrefix.count)) : text
      Terminal.complain("martlet: \(message)")
      exit(isUsage ? ExitStatus.usage : ExitStatus.internalError)
    }
  }

  private static func exit(_ status: ExitStatus) -> Never { Foundation.exit(status.rawValue) }
}
