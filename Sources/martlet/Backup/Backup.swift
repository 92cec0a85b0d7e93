// `martlet backup`: a data directory's copy, whole and of one moment, while the server goes on.

import ArgumentParser
import Foundation
import MartletModel

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy the data directory, also while its server is up.",
    discussion: """
      DEST becomes a data directory like the one that is copied: the database as it
      was at one moment, and what it refers to. martlet up --data DEST starts a
      server on it. The local token is left out (a server makes a new one), and so
      are the server's lock and log. What was submitted with runs, environments
      included, is in it.

      Examples:
        martlet backup /backups/martlet-2026-11-21
        martlet backup /backups/tonight --data ~/experiments --verify
        martlet backup ../yesterday --link --without-results
      """)

  @Argument(help: ArgumentHelp("The copy: a directory that is not there yet.", valueName: "dest"))
  var destination: String

  @Option(name: .long, help: "The data directory. (default: MARTLET_DATA, or ~/.martlet)")
  var data: String?

  @Flag(name: .long, help: "Read the copy again and check all of it.")
  var verify = false

  @Flag(name: .long, help: "Share logged files with the original where the file system can (hard links).")
  var link = false

  @Flag(name: .long, help: "Copy the local token and the key of signed addresses too.")
  var withToken = false

  @Flag(name: .long, help: "Leave the folder results out.")
  var withoutResults = false

  @OptionGroup var format: FormatOption

  func run() async throws {
    let place = try ServerPlace(url: nil, token: nil, data: data, environment: CallerEnvironment.current)
    let source = try BackupSource(
      place.data, linksBlobs: link, withToken: withToken, withResults: !withoutResults)
    let target = try BackupTarget(destination, source: source)
    for leftover in target.leftovers() {
      Terminal.complain("martlet: \(leftover) is left of a backup that was cut off; it can be removed.")
    }
    let space = try await blocking { source.bytes() }
    try target.begin(space: space)
    let interrupts = Interrupts()
    let watch = Task {
      while !Task.isCancelled {
        await interrupts.pause(for: .milliseconds(200))
        guard interrupts.arePending else { continue }
        target.discard()
        Terminal.complain("martlet: stopped; nothing of the backup is left.")
        Foundation.exit(ExitStatus.interrupted.rawValue)
      }
    }
    defer { watch.cancel() }
    let (record, faults): (BackupRecord, [Check])
    do {
      (record, faults) = try await copy(source, to: target)
    } catch  where interrupts.arePending {
      // What failed is that the copy was taken away; this ends the process.
      return await watch.value
    }
    try print(record, at: target.path)
    guard faults.isEmpty else {
      for fault in faults { Terminal.complain("martlet: \(fault.name): \(fault.message)") }
      throw Failure(
        .failed, "The backup is there, but not all of it is as it should be.",
        hint: "martlet doctor --deep --data \(Words.command([place.data.path])) says whether the original is."
      )
    }
  }

  private func copy(
    _ source: BackupSource, to target: BackupTarget
  ) async throws -> (record: BackupRecord, faults: [Check]) {
    do {
      let record = try await source.copy(to: target.temporary)
      var faults: [Check] = []
      if verify {
        faults = await StoreChecks(path: target.temporary, isDeep: true).all().filter { $0.status != .ok }
      }
      faults += record.missingBlobs > 0 ? [record.missingCheck] : []
      try await blocking { try target.finish() }
      return (record, faults)
    } catch {
      target.discard()
      throw error
    }
  }

  private func print(_ record: BackupRecord, at path: String) throws {
    var item = record.json
    item = item.merging(["path": .string(path), "verified": .bool(verify)])
    switch format.format {
    case .table:
      try Terminal.say(
        "\(Words.count(Int64(record.runs), "run")), \(Words.count(record.points, "point")), "
          + "\(Words.bytes(record.databaseBytes + record.fileBytes)) in \(path)"
          + (verify ? "; read again" : ""))
      Terminal.complain("martlet up --data \(Words.command([path])) starts a server on it.")
    case .json, .csv:
      try Card(item: item, fields: BackupRecord.fields).print(format.format)
    }
  }
}
