// `martlet down`: ends the server, and returns when it has ended.

import ArgumentParser
import Foundation

struct Down: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop the server; runs go on without it.",
    discussion: """
      Returns when the server has ended. Runs and sweeps are found again when it is
      started the next time.

      Examples:
        martlet down
        martlet down --data ~/experiments
      """)

  @OptionGroup var connection: ConnectionOptions

  @Option(name: .long, help: ArgumentHelp("How long to wait for its end.", valueName: "seconds"))
  var timeout = 30.0

  func validate() throws { try check(timeout, of: "--timeout") }

  func run() async throws {
    let place = try connection.place()
    guard let client = try place.client() else {
      Terminal.complain("No server is up on \(place.data.path).")
      return
    }
    let pid = place.isLocal ? try place.data.announcement()?.pid : nil
    do {
      _ = try await client.send(.post, "/shutdown")
    } catch let failure as Failure {
      // One that does not listen is asked by signal: the process that holds this directory's lock is surely it.
      guard let pid, ProcessTable.lockHolder(of: place.data.lockFile) == pid, kill(pid, SIGTERM) == 0 else {
        throw failure
      }
    }
    let deadline = ContinuousClock.now + .seconds(timeout)
    while ContinuousClock.now < deadline {
      if try await hasEnded(pid: pid, client: client) {
        try Terminal.say("The server at \(client.base.absoluteString) has ended.")
        return
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw Failure(
      .failed, "The server at \(client.base.absoluteString) has not ended within \(Words.duration(timeout)).",
      hint: pid.map { "Its process is \($0); its log is \(place.data.logFile)." })
  }

  /// A process of this machine has ended when it is gone; any other server when nothing answers.
  private func hasEnded(pid: Int32?, client: Client) async throws -> Bool {
    if let pid { return !ProcessTable.isAlive(pid) }
    do {
      _ = try await client.send(.get, "/version")
      return false
    } catch let failure as Failure where failure.status == .unavailable {
      return true
    }
  }
}
