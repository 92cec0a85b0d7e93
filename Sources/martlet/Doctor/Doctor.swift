// `martlet doctor`: looks at everything that Martlet leans on and says what to do.

import ArgumentParser
import Foundation
import MartletModel

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the data directory, this machine and the server.",
    discussion: """
      Ends with status 1 when anything is an error; warnings leave it 0. The database
      is read beside a server that is up. A backup is checked like any data
      directory.

      Examples:
        martlet doctor
        martlet doctor --deep --data /backups/tonight
        martlet doctor --data ~/experiments --format json
      """)

  @Flag(
    name: .long, help: "Read every row and every logged file, and compare them with what is said of them.")
  var deep = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let place = try connection.place()
    // The directory of a server elsewhere is not here.
    guard place.isLocal || !deep else {
      throw Failure(
        .usage, "--deep reads the data directory, and only the server's address was named.",
        hint: "Run it on the server's machine, with --data.")
    }
    var checks = place.isLocal ? DirectoryChecks(data: place.data).all : []
    if place.isLocal { checks += await StoreChecks(path: place.data.path, isDeep: deep).all() }
    if place.isLocal { checks += try await LogChecks(path: place.data.path, isDeep: deep).all() }
    checks += try await MachineChecks.all()
    let known = Set(checks.map(\.name))
    checks += await serverChecks(place).filter { !known.contains($0.name) }
    switch format.format {
    case .table: try printTable(checks)
    case .json, .csv:
      let fields = ["name", "status", "message", "hint"].map { Field($0, nil) }
      try Listing(items: checks.map(\.json), fields: fields, whenEmpty: "").print(format.format)
    }
    if checks.contains(where: { $0.status == .error }) { throw ExitStatus.failed.code }
  }

  private func printTable(_ checks: [Check]) throws(OutputClosed) {
    let isColored = Terminal.usesColor
    let width = checks.map { Table.width(of: $0.name) }.max() ?? 0
    for check in checks {
      let blank = String(repeating: " ", count: width - Table.width(of: check.name) + 2)
      let status = check.status.rawValue
      let painted = Style(state: status)?.paint(status, if: isColored) ?? status
      let gap = String(repeating: " ", count: Check.Status.warning.rawValue.count - status.count + 2)
      try Terminal.say(painted + gap + Terminal.plain(check.name) + blank + Terminal.plain(check.message))
      if check.status != .ok, let hint = check.hint {
        try Terminal.say(String(repeating: " ", count: width + 11) + Style.faint.paint(hint, if: isColored))
      }
    }
  }

  /// What only a running server knows; that none is up is no fault.
  private func serverChecks(_ place: ServerPlace) async -> [Check] {
    do {
      guard let client = try place.client() else {
        return [Check("server", .ok, "None is up on \(place.data.path); martlet up starts one.")]
      }
      let answer = try await client.send(.get, "/doctor")
      let here = Check("server", .ok, "Answers at \(client.base.absoluteString).")
      return [here] + (answer["checks"]?.array ?? []).compactMap(Check.init(json:))
    } catch let failure as Failure {
      return [Check("server", .error, failure.message, hint: failure.hint)]
    } catch {
      return [Check("server", .error, String(describing: error))]
    }
  }
}
