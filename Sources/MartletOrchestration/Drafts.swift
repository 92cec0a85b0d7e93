// Submissions whose files are on the disk and which the store does not have yet.

import Foundation
import Glibc
import Logging
import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

/// A note of what a submission has made on the disk, from before that until the store has the submission or has refused it.
///
/// A server that is killed in between leaves the note: the next one takes away what it names, and nothing else. So no
/// directory is ever taken for left over because somebody does not know it.
struct Draft: Sendable {
  enum Kind: String, Sendable, CaseIterable { case sweep, run }

  let kind: Kind
  let id: PublicID
  private let data: DataDirectory

  init(_ kind: Kind, _ id: PublicID, in data: DataDirectory) {
    (self.kind, self.id, self.data) = (kind, id, data)
  }

  private var note: String { "\(data.drafts)/\(kind.rawValue)-\(id)" }
  private var directory: String { kind == .sweep ? data.sweep(id) : data.run(id) }
  /// The environment of whoever submitted it.
  var environmentFile: String { "\(directory)/environment.json" }

  /// Makes what is submitted; where that fails, nothing of it is left.
  ///
  /// - Throws: `Problem.unavailable`; what `make` throws.
  func begin<T>(_ make: () throws -> T) throws -> T {
    try Self.make(data.drafts)
    try Self.write(Data(), to: note)
    do {
      return try make()
    } catch {
      withdraw()
      throw error
    }
  }

  /// Writes down what was submitted.
  ///
  /// - Parameter results: the directory that was made for it alone; nil: none was.
  /// - Throws: `Problem.unavailable`.
  func keep(environment: [(key: String, value: String)], results: String? = nil) throws {
    if let results { try Self.write(Data(results.utf8), to: note) }
    try Self.make(directory)
    let members = JSONValue.object(
      .init(uniqueKeysWithValues: environment.map { ($0.key, .string($0.value)) }))
    try Self.write(Data(members.bytes()), to: environmentFile)
  }

  /// The store has it.
  func settle() { unlink(note) }

  /// The store will never have it. A directory in which something lies that is not of the submission stays.
  func withdraw() {
    let results = (try? Data(contentsOf: URL(fileURLWithPath: note))).map {
      String(decoding: $0, as: UTF8.self)
    }
    if let results, results.hasPrefix("/") { rmdir(results) }
    unlink(environmentFile)
    rmdir(directory)
    unlink(note)
  }

  /// Those that a server before has left.
  static func left(in data: DataDirectory) throws -> [Draft] {
    guard FileManager.default.fileExists(atPath: data.drafts) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: data.drafts).sorted().compactMap { name in
      let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
      guard parts.count == 2, let kind = Kind(rawValue: parts[0]), let id = PublicID(rawValue: parts[1])
      else {
        return nil
      }
      return Draft(kind, id, in: data)
    }
  }

  private static func make(_ directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// A file that only this account may read: environments hold secrets.
  private static func write(_ bytes: Data, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw Problem(.unavailable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: bytes)
    try file.synchronize()
  }
}

extension Conductor {
  /// Takes away what submissions left of which the server before was killed before it stored them.
  func withdrawDrafts() async throws {
    for draft in try await blocking({ [data] in try Draft.left(in: data) }) {
      let isStored = try await store.read { reader in
        switch draft.kind {
        case .sweep: try reader.sweep(draft.id) != nil
        case .run: try reader.run(draft.id) != nil
        }
      }
      if !isStored {
        logger.notice(
          "A server before ended while it stored \(draft.kind.rawValue) \(draft.id): what it left is removed."
        )
      }
      try await blocking { isStored ? draft.settle() : draft.withdraw() }
    }
  }

  /// Stores what was prepared; where that fails, nothing of it is left.
  nonisolated func store(
    _ draft: Draft, _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    do {
      try await body()
    } catch {
      try await blocking { draft.withdraw() }
      throw error
    }
    try await blocking { draft.settle() }
  }
}
