// Files of runs: media and whatever else is too big for a row.

import Foundation
import Logging
package import MartletModel
package import MartletStore
import OrderedCollections
import Synchronization

extension Tracking {
  /// Bytes of a run's file; nil: the run was not given it. That another run has it does not count.
  ///
  /// - Parameter isNamed: whoever asks puts it for a named file. What is put for a logged value stays as long as the run.
  package func blobSize(
    _ hash: ContentHash, of run: PublicID, isNamed: Bool = false, access: Access
  ) async throws -> Int64? {
    // What is older may go before its name comes: that must be put again.
    let moment = clock.now + -Self.unnamedLifetime / 2
    return try await store.read { reader in
      try Self.check(try reader.place(of: run), run, access)
      return try reader.ownBlob(hash.bytes, run: run, isNamed: isNamed, since: moment)
    }
  }

  /// Gives a run a file that has come whole.
  ///
  /// - Parameter isNamed: it goes with the last of the run's named files that has its bytes.
  /// - Throws: `Problem`: `unprocessable` when its bytes have another hash, `notFound`, `conflict` for a locked run that
  ///   has ended, `unavailable`.
  package func keepBlob(
    _ upload: BlobUpload, as hash: ContentHash, of run: PublicID, isNamed: Bool = false, access: Access
  ) async throws -> Int64 {
    try await keepBlob(upload, as: hash, of: run, isNamed: isNamed) { place in
      let place = try Self.checkWritable(place, run, access)
      if place.state.isEnd { try Self.refuseLocked(place, run, "given files") }
    }
  }

  private func keepBlob(
    _ upload: BlobUpload, as hash: ContentHash, of run: PublicID, isNamed: Bool = false,
    check: @escaping @Sendable (Place?) throws -> Void
  ) async throws -> Int64 {
    let (found, size) = try await blocking { (try upload.end(), upload.size) }
    guard found == hash else {
      throw Problem(
        .unprocessable, "The \(size) bytes that came have the SHA-256 \(found), not \(hash).",
        hint: "Send the file again; if it is still being written, wait until it is whole.",
        details: ["sha256": .string(found.description), "size": .int(size)])
    }
    let (store, blobs, now) = (store, blobs, clock.now)
    try await blobQueue.run {
      try await blocking { try blobs.keep(upload, as: hash) }
      do {
        try await store.write { writer in
          try check(try writer.place(of: run))
          try writer.noteBlob(hash.bytes, size: size, run: run, isNamed: isNamed, now: now)
        }
      } catch {
        // Where this fails too, the next cleaning finds its mark.
        try? await Self.forgetUnknown([hash], blobs, store)
        throw error
      }
      try await blocking { try blobs.settle(hash) }
    }
    return size
  }

  /// Keeps texts of our own and notes whose they are.
  ///
  /// - Parameter note: called in one transaction with the name, hash and size of each.
  /// - Throws: `Problem.unavailable` when the disk does not take them, and what `note` throws.
  package func keepTexts(
    _ texts: [(path: String, bytes: [UInt8])],
    note: @escaping @Sendable (StoreWriter, _ path: String, _ hash: [UInt8], _ size: Int64) throws -> Void
  ) async throws {
    let (store, blobs) = (store, blobs)
    try await blobQueue.run {
      let kept = try await blocking {
        try texts.map { text in
          let upload = try blobs.begin()
          try text.bytes.withUnsafeBytes { try upload.write($0) }
          let hash = try upload.end()
          try blobs.keep(upload, as: hash)
          return (path: text.path, hash: hash, size: Int64(text.bytes.count))
        }
      }
      do {
        try await store.write { writer in
          for text in kept { try note(writer, text.path, text.hash.bytes, text.size) }
        }
      } catch {
        // Where this fails too, the next cleaning finds their marks.
        try? await Self.forgetUnknown(kept.map(\.hash), blobs, store)
        throw error
      }
      try await blocking { for text in kept { try blobs.settle(text.hash) } }
    }
  }

  /// Gives a run the files that its client left beside its spool, each named by its hash; an absent directory has none.
  ///
  /// - Throws: `Problem.unavailable` when the store cannot take them now; what is no such file is told in the log.
  package func takeBlobs(in directory: String, of run: PublicID) async throws {
    let names = try await blocking { () throws -> [String] in
      guard FileManager.default.fileExists(atPath: directory) else { return [] }
      return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }
    let blobs = blobs
    for hash in names.compactMap(ContentHash.init(_:)) {
      // What the run has for a named file alone would go with that file.
      let own = try await store.read { [clock] reader in
        try reader.ownBlob(hash.bytes, run: run, isNamed: false, since: clock.now)
      }
      guard own == nil else { continue }
      do {
        let upload = try await blocking {
          let upload = try blobs.begin()
          try upload.write(contentsOf: "\(directory)/\(hash)")
          return upload
        }
        _ = try await keepBlob(upload, as: hash, of: run) { _ in }
      } catch let problem as Problem where problem.code != .unavailable {
        logger.warning("\(directory)/\(hash) was not taken: \(problem)")
      }
    }
  }

  /// Opens a file of a run.
  ///
  /// - Parameter inTrash: also of a run in the trash.
  /// - Throws: `Problem`: `notFound`, `internal` when its bytes are gone.
  package func openBlob(
    _ hash: ContentHash, of run: PublicID, inTrash: Bool = true, access: Access
  ) async throws -> OpenBlob {
    let size = try await store.read { reader -> Int64? in
      let place = try Self.check(try reader.place(of: run), run, access)
      return place.isDeleted && !inTrash ? nil : try reader.blob(hash.bytes, run: run)
    }
    guard let size else {
      throw Problem(
        .notFound, "Run '\(run)' has no file \(hash).",
        hint: "A run sees only the files that were put for it.")
    }
    let blobs = blobs
    guard let blob = try await blocking({ try blobs.open(hash) }), blob.size == size else {
      throw Problem(
        .internal, "The file \(hash) of run '\(run)' is damaged or gone.", hint: "Run 'martlet doctor'.")
    }
    return blob
  }

  // MARK: - Cleaning up

  /// Removes files that no run has any more, and those that a killed server left without a note.
  ///
  /// Failures are told in the log: what stays is removed another time.
  package func removeUnusedBlobs() async {
    let (store, blobs) = (store, blobs)
    do {
      try await blobQueue.run {
        try await Self.forgetUnknown(try await blocking { try blobs.unsettled() }, blobs, store)
        while true {
          let unused = try await store.read { try $0.unreferencedBlobs(limit: 500) }
          let hashes = unused.compactMap(ContentHash.init(bytes:))
          guard !hashes.isEmpty else { return }
          try await blocking { for hash in hashes { try blobs.unsettle(hash) } }
          let forgotten = try await store.write { writer in
            try hashes.filter { try writer.forgetBlob($0.bytes) }
          }
          // Only now: a note without a file would be a file lost.
          try await blocking { for hash in forgotten { try blobs.remove(hash) } }
        }
      }
    } catch {
      logger.failure(
        "Files that nobody has any more could not be removed; trying again", error, level: .warning)
      needsCleaning.store(true, ordering: .relaxed)
    }
  }

  /// Removes those of `hashes` that the database does not know.
  private static func forgetUnknown(_ hashes: [ContentHash], _ blobs: BlobStore, _ store: Store) async throws
  {
    for hash in hashes {
      let isKnown = try await store.read { try $0.isBlobKnown(hash.bytes) }
      try await blocking { isKnown ? try blobs.settle(hash) : try blobs.remove(hash) }
    }
  }
}
