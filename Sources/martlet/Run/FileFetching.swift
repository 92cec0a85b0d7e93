// Files of a run written below a directory: never outside of it, never through a link, whole or not at all.

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel

struct FileFetching {
  let client: Client
  /// The run's id.
  let run: String
  let directory: String
  /// Whether files that are there already are replaced.
  let replaces: Bool

  /// Bytes that are asked for at a time.
  private static let piece: Int64 = 8 << 20

  /// Fetches files, as the API lists them, and says how many came.
  ///
  /// - Throws: `Failure` when one cannot be fetched or written; the status `failed` when some were there already.
  func fetch(_ files: [JSONValue]) async throws {
    try await blocking {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    var (count, bytes, skipped): (Int64, Int64, Int64) = (0, 0, 0)
    for file in files {
      let path = file["path"]?.string ?? ""
      // What another server says is believed no more than anything from outside.
      if let fault = RunFile.fault(ofPath: path) {
        throw Failure(.internalError, "The server names a file '\(Terminal.plain(path))', which \(fault).")
      }
      let place = try await blocking { try prepare(path) }
      guard let place else {
        Terminal.complain("martlet: \(Terminal.plain(path)) is there already; --force replaces it.")
        skipped += 1
        continue
      }
      try await fetch(file, to: place)
      count += 1
      bytes += file["size"]?.int ?? 0
    }
    try Terminal.say("\(Words.count(count, "file")), \(Words.bytes(bytes)), in \(directory)")
    if skipped > 0 { throw ExitStatus.failed.code }
  }

  /// Makes the folders above a file.
  ///
  /// - Returns: where it is to lie; nil: something is there that is not to be replaced.
  /// - Throws: `Failure` where a link or a file stands in the way.
  private func prepare(_ path: String) throws -> String? {
    var place = directory
    let parts = path.split(separator: "/")
    for part in parts.dropLast() {
      place += "/\(part)"
      if mkdir(place, 0o777) == 0 { continue }
      guard errno == EEXIST else { throw Failure(writing: place, code: errno) }
      guard kind(of: place) == S_IFDIR else {
        throw Failure(
          .cannotCreate, "\(place) is no folder, and '\(path)' is to lie in it.",
          hint: "Links are not followed. Name another directory with --download.")
      }
    }
    place += "/\(parts.last ?? "")"
    switch kind(of: place) {
    case nil: return place
    case S_IFREG?, S_IFLNK?: return replaces ? place : nil
    default:
      throw Failure(
        .cannotCreate, "\(place) is no file, and cannot be replaced.",
        hint: "Name another directory with --download.")
    }
  }

  /// Of what lies there, no link followed; nil: nothing.
  private func kind(of path: String) -> mode_t? {
    var entry = stat()
    return lstat(path, &entry) == 0 ? entry.st_mode & S_IFMT : nil
  }

  private func fetch(_ file: JSONValue, to place: String) async throws {
    let (hash, size) = (file["sha256"]?.string ?? "", file["size"]?.int ?? 0)
    let output = try OutputFile(path: place)
    do {
      var digest = SHA256()
      var offset: Int64 = 0
      while offset < size {
        let end = min(offset + Self.piece, size)
        let answer = try await client.exchange(
          .get, "/runs/\(run)/blobs/\(hash)", headers: [("Range", "bytes=\(offset)-\(end - 1)")])
        let bytes = Array(answer.bytes)
        guard Int64(bytes.count) == end - offset else {
          throw Failure(.internalError, "'\(file["path"]?.string ?? "")' came in pieces of the wrong length.")
        }
        digest.update(bytes)
        try output.write(bytes)
        offset = end
      }
      guard hexadecimal(digest.finish()) == hash else {
        throw Failure(
          .internalError, "The bytes of '\(file["path"]?.string ?? "")' are not those that were saved.")
      }
      try output.finish()
    } catch {
      output.discard()
      throw error
    }
  }
}
