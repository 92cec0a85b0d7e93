// A file that is written bit by bit and takes its place when it is whole.

import Glibc
import MartletModel

/// Not safe to share; whoever writes it calls `finish` or `abandon`.
struct ReplacedFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private static let room = 1 << 16

  private var unfinished: String { path + ".new" }

  /// - Throws: `Problem.unavailable` where no file can be made.
  init(_ path: String) throws {
    self.path = path
    let name = path + ".new"
    descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw Self.problem(name, errno) }
    buffer.reserveCapacity(Self.room)
  }

  /// - Throws: `Problem.unavailable` when the disk takes no more.
  mutating func write(_ text: some Sequence<UInt8>) throws {
    buffer.append(contentsOf: text)
    if buffer.count >= Self.room { try flush() }
  }

  private mutating func flush() throws {
    var first = 0
    while first < buffer.count {
      let count = buffer[first...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.problem(unfinished, errno)
      }
      first += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Puts the file in its place. What stood there before stays where that fails.
  ///
  /// - Parameter isSynced: waits until it lies on the disk.
  consuming func finish(isSynced: Bool) throws {
    do {
      try flush()
      if isSynced, fsync(descriptor) != 0 { throw Self.problem(unfinished, errno) }
      guard rename(unfinished, path) == 0 else { throw Self.problem(path, errno) }
    } catch {
      abandon()
      throw error
    }
    close(descriptor)
  }

  /// Leaves what stood there before.
  consuming func abandon() {
    close(descriptor)
    unlink(unfinished)
  }

  private static func problem(_ path: String, _ code: Int32) -> Problem {
    Problem(.unavailable, "\(path) cannot be written: \(String(cString: strerror(code))).")
  }
}
