// What the database and the files that were logged say of themselves, beside a server that is up or without one.

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel
import MartletStore

struct StoreChecks {
  /// The data directory.
  let path: String
  /// Whether all rows and files are read.
  let isDeep: Bool

  /// Nothing when there is no database yet.
  func all() async -> [Check] {
    let file = "\(path)/\(BackupSource.database)"
    guard access(file, F_OK) == 0 else { return [] }
    do {
      let inspection = try StoreInspection(path: file)
      let facts = try await inspection.facts()
      var checks = [try await database(inspection, facts), freePages(facts), unsealed(facts)]
      if facts.version >= 2 { checks.append(try await blobs(inspection, facts)) }
      try inspection.close()
      if let samples = try await samples() { checks.append(samples) }
      if let backup = try await backup() { checks.append(backup) }
      return checks
    } catch let problem as Problem {
      return [Check("database", .error, problem.message, hint: problem.hint)]
    } catch let failure as Failure {
      return [Check("database", .error, failure.message, hint: failure.hint)]
    } catch {
      return [Check("database", .error, String(describing: error))]
    }
  }

  private func database(_ inspection: StoreInspection, _ facts: StoreInspection.Facts) async throws -> Check {
    guard facts.version <= StoreInspection.newestVersion else {
      return Check(
        "database", .error,
        "It is of schema \(facts.version); this program knows \(StoreInspection.newestVersion).",
        hint: "Use the version of martlet that wrote it, or a later one.")
    }
    let findings = try await inspection.integrity(deep: isDeep)
    guard findings.isEmpty else {
      let shown = findings.prefix(5).map { finding in
        (finding.run.map { "Run \($0): " } ?? "") + finding.message
      }
      let rest = findings.count - shown.count
      return Check(
        "database", .error, shown.joined(separator: " ") + (rest > 0 ? " And \(rest) more." : ""),
        hint: "Keep a copy of the data directory, then restore the last backup.")
    }
    let counts = "\(Words.count(Int64(facts.runs), "run")), \(Words.count(facts.points, "point"))"
    let read = isDeep ? "all rows read" : "pages and references read; --deep reads all rows"
    let schema =
      facts.version == StoreInspection.newestVersion
      ? "" : " Schema \(facts.version); the next server brings it up to date."
    return Check("database", .ok, "\(counts): whole (\(read)).\(schema)")
  }

  private func freePages(_ facts: StoreInspection.Facts) -> Check {
    let bytes = Int64(facts.freePages) * Int64(facts.pageBytes)
    let share = facts.pages > 0 ? 100 * facts.freePages / facts.pages : 0
    return Check(
      "free pages", .ok, "\(Words.bytes(bytes)) of the database's file are free (\(share) %).")
  }

  private func unsealed(_ facts: StoreInspection.Facts) -> Check {
    Check("unsealed rows", .ok, "\(Words.count(facts.unsealedRows, "row")) wait to be laid into chunks.")
  }

  /// The database of system metrics; nil: nothing was sampled yet.
  private func samples() async throws -> Check? {
    let name = "system samples"
    let file = "\(path)/\(BackupSource.samples)"
    guard access(file, F_OK) == 0 else { return nil }
    do {
      let inspection = try StoreInspection(path: file)
      let findings = try await inspection.integrity(deep: isDeep)
      let facts = try await inspection.facts()
      try inspection.close()
      guard let first = findings.first else {
        return Check(
          name, .ok,
          "\(Words.count(facts.points, "number")) of \(Words.count(Int64(facts.runs), "run")): whole.")
      }
      return Check(
        name, .error, (first.run.map { "Run \($0): " } ?? "") + first.message,
        hint:
          "What runs logged is not in it. Remove \(BackupSource.samples) while no server is up, or restore it."
      )
    } catch let problem as Problem {
      return Check(name, .error, problem.message, hint: problem.hint)
    }
  }

  // MARK: - Logged files

  /// Where a file of this SHA-256 lies in the folder of logged files.
  static func fileName(_ hash: [UInt8]) -> String {
    let text = hexadecimal(hash)
    return "\(text.prefix(2))/\(text.dropFirst(2))"
  }

  private func blobs(_ inspection: StoreInspection, _ facts: StoreInspection.Facts) async throws -> Check {
    var faults: [String] = []
    var last: Int64 = 0
    while true {
      let blobs = try await inspection.blobs(after: last, limit: 1000)
      guard let end = blobs.last else { break }
      last = end.id
      faults += try await blocking { [path, isDeep] in
        try blobs.compactMap { try Self.fault(of: $0, in: "\(path)/\(BackupSource.blobs)", isDeep: isDeep) }
      }
    }
    guard faults.isEmpty else {
      let rest = faults.count - 3
      return Check(
        "blobs", .error, faults.prefix(3).joined(separator: " ") + (rest > 0 ? " And \(rest) more." : ""),
        hint: "Runs show these files as damaged. Copy them from a backup into the same places.")
    }
    let read = isDeep ? "all read" : "sizes compared; --deep reads them"
    return Check(
      "blobs", .ok,
      "\(Words.count(Int64(facts.blobs), "file")), \(Words.bytes(facts.blobBytes)): all there (\(read)).")
  }

  /// What is wrong with a file; nil: nothing.
  private static func fault(of blob: StoreInspection.Blob, in folder: String, isDeep: Bool) throws -> String?
  {
    let name = fileName(blob.hash)
    var entry = stat()
    guard lstat("\(folder)/\(name)", &entry) == 0 else { return "blobs/\(name) is not there." }
    guard entry.st_mode & S_IFMT == S_IFREG, Int64(entry.st_size) == blob.size else {
      return "blobs/\(name) has \(entry.st_size) bytes instead of \(blob.size)."
    }
    guard isDeep, try FileHash.of("\(folder)/\(name)").hash != hexadecimal(blob.hash) else { return nil }
    return "blobs/\(name) holds other bytes than were logged."
  }

  // MARK: - A backup

  /// Whether a backup is as it was made; nil: the directory is none.
  private func backup() async throws -> Check? {
    guard let bytes = FileManager.default.contents(atPath: "\(path)/\(BackupRecord.fileName)") else {
      return nil
    }
    guard let record = (try? JSONValue.parse(bytes)).flatMap(BackupRecord.init(json:)) else {
      return Check(
        "backup", .error, "\(BackupRecord.fileName) cannot be read.",
        hint: "It is damaged, or was written by a later version.")
    }
    let made = "Made \(Words.iso(record.time)) of \(record.source)"
    // A server makes this file before anything else.
    if access("\(path)/lock", F_OK) == 0 {
      return Check("backup", .ok, "\(made); a server has used it since.")
    }
    let found = try await blocking { [path] in try FileHash.of("\(path)/\(BackupSource.database)") }
    guard found.hash == record.databaseHash, found.bytes == record.databaseBytes else {
      return Check(
        "backup", .error, "\(made); its database is not the one that was written then.",
        hint: "Restore another backup.")
    }
    if record.missingBlobs > 0 { return record.missingCheck }
    return Check("backup", .ok, "\(made); the database is as it was written.")
  }
}
