// A copy of the database, whole and of one moment, while writing goes on.

import Foundation
import GRDB
import Glibc
import MartletModel

extension Store {
  /// Copies this database into a new file, which holds what was committed when the copying began.
  ///
  /// Writing goes on; the write-ahead log is not shortened meanwhile, since the copy reads one snapshot.
  ///
  /// - Throws: `Problem`: `conflict` when there is such a file; `unavailable` when it cannot be written.
  package func backup(to path: String) async throws {
    let pool = pool
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      DispatchQueue.global(qos: .utility).async {
        done.resume(with: Result { try Self.copy(pool, to: path) })
      }
    }
  }

  /// Copies the database at `path`, whether a server has it open or not; waits for the disk.
  ///
  /// - Throws: `Problem`: `notFound`, or as `backup(to:)`.
  package static func backup(of path: String, to copy: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Problem(.notFound, "There is no database \(path).", hint: "Name the data directory with --data.")
    }
    var configuration = Configuration()
    configuration.label = "martlet.backup"
    configuration.busyMode = .timeout(30)
    let source = try translated { try DatabaseQueue(path: path, configuration: configuration) }
    defer { try? source.close() }
    try self.copy(source, to: copy)
  }

  /// Under another name first: a file of this name is a whole copy.
  private static func copy(_ source: any DatabaseReader, to path: String) throws {
    let partial = "\(path).partial"
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Problem(
        .conflict, "\(path) exists already and is not overwritten.", hint: "Name another place for the copy.")
    }
    unlink(partial)
    do {
      try translated {
        let target = try DatabaseQueue(path: partial)
        defer { try? target.close() }
        try source.backup(to: target)
        // Without a write-ahead log of its own it can be read where nothing can be written. A store switches it on again.
        try target.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      }
      try sync(partial)
      guard rename(partial, path) == 0 else { throw unwritable(path, errno) }
      try sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      unlink(partial)
      throw error
    }
  }

  private static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unwritable(path, errno) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw unwritable(path, errno) }
  }

  private static func unwritable(_ path: String, _ code: Int32) -> Problem {
    Problem(
      .unavailable, "The copy \(path) cannot be written: \(String(cString: strerror(code))).",
      hint: "Make room there, or name another place for the copy.")
  }

  private static func translated<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw Problem(
        .unavailable, "The database cannot be copied: \(error).",
        hint: "Make room there, or name another place for the copy.")
    }
  }
}
