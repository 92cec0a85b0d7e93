// The output of a run from outside, as its client sends it: files like those of an attempt.

import Foundation
import Glibc
import MartletModel
import OrderedCollections

/// What a client sends of one stream of its output. All calls may wait for the disk.
///
/// The file's size is how much is known: bytes before it change nothing when they come again, and bytes behind it are
/// refused.
struct ReceivedLog: Sendable {
  /// Room that must be left on the disk: its twentieth part, at most so many bytes.
  private static let largestReserve: UInt64 = 64 << 20

  let directory: String

  /// Appends what is new of a piece, and notes when it came.
  ///
  /// - Parameters:
  ///   - offset: of the piece in its stream; bytes.
  ///   - time: when its last byte was written.
  /// - Returns: the stream's size, and how many bytes were new.
  /// - Throws: `Problem`: `conflict` with `details.size` when bytes are missing before these; `unavailable`.
  func append(
    _ piece: [UInt8], to stream: LogStream, at offset: Int, time: Timestamp
  ) throws -> (size: Int, accepted: Int) {
    let log = try open("\(stream.rawValue).log")
    defer { close(log) }
    // Whoever else sends the same piece waits here, and finds it known.
    while flock(log, LOCK_EX) != 0 { guard errno == EINTR else { throw problem("be locked") } }
    let size = Int(lseek(log, 0, SEEK_END))
    guard size >= 0 else { throw problem("be read") }
    guard offset <= size else {
      throw Problem(
        .conflict, "Byte \(offset) of \(stream.rawValue) came, but byte \(size) is expected.",
        hint: "Send again from byte \(size).", details: ["size": .int(Int64(size))])
    }
    let new = piece.dropFirst(size - offset)
    guard !new.isEmpty else { return (size, 0) }
    try checkRoom(for: new.count)
    try write(new, to: log)
    guard fdatasync(log) == 0 else { throw problem("be written") }
    let reached = size + new.count
    try note(time, stream, reached)
    return (reached, new.count)
  }

  /// Adds a record to the index: docs/supervisor.md.
  private func note(_ time: Timestamp, _ stream: LogStream, _ size: Int) throws {
    let index = try open("log.idx")
    defer { close(index) }
    try write(LogIndexRecord(time: time.microseconds, stream: stream, size: size).bytes[...], to: index)
  }

  private func open(_ name: String) throws -> Int32 {
    var file = openFile(name)
    if file < 0, errno == ENOENT {
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      } catch {
        throw Problem(
          .unavailable, "The directory \(directory) cannot be made: \(error.localizedDescription)",
          hint: "Check the disk of the data directory and its permissions.")
      }
      file = openFile(name)
    }
    guard file >= 0 else { throw problem("be opened") }
    return file
  }

  private func openFile(_ name: String) -> Int32 {
    Glibc.open("\(directory)/\(name)", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
  }

  /// Logs must not take the room that points need.
  private func checkRoom(for bytes: Int) throws {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return }
    let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    let reserve = min(Self.largestReserve, UInt64(status.f_blocks) * UInt64(status.f_frsize) / 20)
    guard free < reserve + UInt64(bytes) else { return }
    throw Problem(
      .unavailable, "The disk of the data directory is nearly full; no logs are taken.",
      hint: "Make room and send them again: what was accepted before is safe.")
  }

  private func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws {
    try bytes.withUnsafeBytes { raw in
      var done = 0
      while done < raw.count {
        let count = Glibc.write(file, raw.baseAddress?.advanced(by: done), raw.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw problem("be written") }
        done += count
      }
    }
  }

  private func problem(_ what: String) -> Problem {
    Problem(
      .unavailable, "A log in \(directory) cannot \(what): \(String(cString: strerror(errno))).",
      hint: "Check the disk of the data directory and its permissions.")
  }
}
