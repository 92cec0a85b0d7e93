// What of a data directory is copied, and in which order.

import Foundation
import MartletModel
import MartletStore
import OrderedCollections

struct BackupSource: Sendable {
  /// The data directory; absolute.
  let path: String
  let linksBlobs: Bool
  private let excluded: Set<String>

  static let database = "martlet.db"
  /// What runs used is a database of its own.
  static let samples = "system.db"
  static let blobs = "blobs"

  /// - Throws: `Failure` when there is no database.
  init(_ data: DataDirectory, linksBlobs: Bool, withToken: Bool, withResults: Bool) throws(Failure) {
    path = data.path
    self.linksBlobs = linksBlobs
    guard access("\(path)/\(Self.database)", F_OK) == 0 else {
      throw Failure(
        .notFound, "There is nothing to copy: \(path) has no \(Self.database).",
        hint: "Name the data directory with --data or MARTLET_DATA.")
    }
    var excluded: Set = [
      Self.database, "\(Self.database)-wal", "\(Self.database)-shm", Self.samples,
      "\(Self.samples)-wal", "\(Self.samples)-shm", Self.blobs, "lock", "server.json", "drafts",
      "server.log", BackupRecord.fileName,
      // What a server left that was killed while it wrote one of these.
      "server.json.new", "token.new", "address.key.new",
    ]
    if !withToken { excluded.formUnion(["token", "address.key"]) }
    if !withResults { excluded.insert("results") }
    self.excluded = excluded
  }

  /// Bytes that a copy takes, about.
  func bytes() -> Int64 {
    FileTree.bytes(in: path) { excluded.contains($0) } + FileTree.bytes(in: "\(path)/\(Self.database)")
      + FileTree.bytes(in: "\(path)/\(Self.database)-wal")
      + FileTree.bytes(in: "\(path)/\(Self.samples)") + FileTree.bytes(in: "\(path)/\(Self.samples)-wal")
      + (linksBlobs ? 0 : FileTree.bytes(in: "\(path)/\(Self.blobs)"))
  }

  /// Copies everything into a directory that is there and holds nothing yet.
  ///
  /// Logged files come first, since what the database refers to then may go later; after the database, those that came
  /// meanwhile. The records of attempts come last: what they say then is news to the database, as after a server's end.
  func copy(to target: String) async throws -> BackupRecord {
    let (path, excluded) = (path, excluded)
    let blobs = BlobCopy(from: "\(path)/\(Self.blobs)", to: "\(target)/\(Self.blobs)", links: linksBlobs)
    try await blocking { try blobs.copyAll() }
    let time = Words.now
    let database = "\(target)/\(Self.database)"
    let samples = "\(target)/\(Self.samples)"
    do {
      try await blocking {
        try Store.backup(of: "\(path)/\(Self.database)", to: database)
        // Nothing was ever sampled where it is missing. What is later in it than the runs are is of no harm.
        if access("\(path)/\(Self.samples)", F_OK) == 0 {
          try Store.backup(of: "\(path)/\(Self.samples)", to: samples)
        }
      }
    } catch let problem as Problem {
      throw Failure(problem, status: problem.code == .notFound ? .notFound : .cannotCreate)
    }
    let inspection = try StoreInspection(path: database)
    var record = BackupRecord(source: path, time: time, facts: try await inspection.facts())
    record.missingBlobs = try await blobs.settle(inspection)
    try inspection.close()
    (record.files, record.fileBytes) = try await blocking {
      var tree = FileTree()
      for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      where !excluded.contains(name) {
        try tree.copy("\(path)/\(name)", to: "\(target)/\(name)")
      }
      try AttemptCopies.detach(in: "\(target)/runs")
      for name in tree.skipped { Terminal.complain("martlet: \(name) is no file and is left out.") }
      return (tree.files, tree.bytes)
    }
    let sampleBytes = FileTree.bytes(in: samples)
    if sampleBytes > 0 {
      record.files += 1
      record.fileBytes += sampleBytes
    }
    record.files += record.blobs - record.missingBlobs
    record.fileBytes += record.blobBytes
    (record.databaseHash, record.databaseBytes) = try await blocking { try FileHash.of(database) }
    let file = try OutputFile(path: "\(target)/\(BackupRecord.fileName)")
    try file.write(record.json.bytes(indented: true) + [UInt8(ascii: "\n")])
    try file.finish()
    return record
  }
}

/// The records of attempts in a copy.
enum AttemptCopies {
  /// Takes from the records of attempts that have not ended what tells their processes: these belong to the original, and
  /// a server on the copy must neither watch nor end them. To it they are crashed.
  static func detach(in runs: String) throws {
    for attempt in attempts(in: runs) where access("\(attempt)/exit.json", F_OK) != 0 {
      let path = "\(attempt)/attempt.json"
      guard let bytes = FileManager.default.contents(atPath: path),
        var record = try? JSONValue.parse(bytes).object
      else { continue }
      record["boot_id"] = "of the original"
      let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
      guard file >= 0 else { throw Failure(writing: path, code: errno) }
      defer { close(file) }
      try OutputFile.write(JSONValue.object(record).bytes(), to: file, of: path)
    }
  }

  private static func attempts(in runs: String) -> [String] {
    let files = FileManager.default
    return ((try? files.contentsOfDirectory(atPath: runs)) ?? []).flatMap { run in
      ((try? files.contentsOfDirectory(atPath: "\(runs)/\(run)")) ?? []).filter { $0.hasPrefix("attempt-") }
        .map { "\(runs)/\(run)/\($0)" }
    }
  }
}

/// Logged files on their way into a copy.
struct BlobCopy: Sendable {
  let source: String
  let target: String
  let links: Bool

  init(from source: String, to target: String, links: Bool) {
    (self.source, self.target, self.links) = (source, target, links)
  }

  /// Everything that has its own name; uploads that are under way have none.
  func copyAll() throws {
    var tree = FileTree(links: links)
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: source)
    } catch CocoaError.fileReadNoSuchFile {
      return  // nothing was ever logged
    }
    guard mkdir(target, 0o700) == 0 else { throw Failure(writing: target, code: errno) }
    for name in names.sorted() where name != "tmp" {
      try tree.copy("\(source)/\(name)", to: "\(target)/\(name)")
    }
  }

  /// Adds what the database knows by now, and removes what it does not.
  ///
  /// - Returns: how many files it knows that are not there.
  func settle(_ database: StoreInspection) async throws -> Int {
    var known: Set<String> = []
    var missing = 0
    var last: Int64 = 0
    while true {
      let blobs = try await database.blobs(after: last, limit: 1000)
      guard let end = blobs.last else { break }
      last = end.id
      let names = blobs.map { StoreChecks.fileName($0.hash) }
      known.formUnion(names)
      missing += try await blocking {
        var missing = 0
        for name in names where access("\(target)/\(name)", F_OK) != 0 {
          mkdir(target, 0o700)
          mkdir("\(target)/\(name.prefix(2))", 0o700)
          var tree = FileTree(links: links)
          try tree.copy("\(source)/\(name)", to: "\(target)/\(name)")
          if tree.files == 0 { missing += 1 }
        }
        return missing
      }
    }
    let isKnown = known
    try await blocking {
      let files = FileManager.default
      for folder in (try? files.contentsOfDirectory(atPath: target)) ?? [] {
        for name in try files.contentsOfDirectory(atPath: "\(target)/\(folder)")
        where !isKnown.contains("\(folder)/\(name)") {
          unlink("\(target)/\(folder)/\(name)")
        }
      }
    }
    return missing
  }
}

enum FileHash {
  private static let pieceBytes = 1 << 20

  /// The SHA-256 of a file, in hexadecimal digits, and its bytes.
  static func of(_ path: String) throws -> (hash: String, bytes: Int64) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure(.notFound, "\(path) cannot be read: \(String(cString: strerror(errno))).")
    }
    defer { close(descriptor) }
    var digest = SHA256()
    var bytes: Int64 = 0
    var piece = [UInt8](repeating: 0, count: pieceBytes)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Failure(.internalError, "\(path) cannot be read: \(String(cString: strerror(errno))).")
      }
      guard count > 0 else { return (hexadecimal(digest.finish()), bytes) }
      digest.update(piece[..<count])
      bytes += Int64(count)
    }
  }
}
