// The bytes of a log's file, piece by piece.

import Glibc
import MartletModel

/// An open file that grows and is never shortened.
struct LogBytes: ~Copyable {
  private let file: Int32
  /// When it was opened, bytes.
  let size: Int

  /// A file that is not there has no bytes.
  ///
  /// - Throws: `Problem.unavailable`.
  init(path: String) throws(Problem) {
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      // Not begun yet, or a link, which nobody follows.
      guard errno == ENOENT || errno == ELOOP || errno == ENOTDIR else {
        throw Problem(
          .unavailable, "The log \(path) cannot be read: \(String(cString: strerror(errno))).",
          hint: "Check the disk of the data directory and its permissions.")
      }
      size = 0
      return
    }
    size = max(0, Int(lseek(file, 0, SEEK_END)))
  }

  deinit { if file >= 0 { close(file) } }

  /// Gives the bytes from one place to another, in pieces; ends early where the file does.
  ///
  /// - Parameter body: returns false to have no more.
  func read(
    from start: Int, to end: Int, piece: Int = 1 << 20, _ body: (UnsafeRawBufferPointer) throws -> Bool
  ) rethrows {
    guard file >= 0, start < end else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(piece, end - start), alignment: 16)
    defer { buffer.deallocate() }
    var place = start
    while place < end {
      let count = pread(file, buffer.baseAddress, min(buffer.count, end - place), off_t(place))
      if count < 0, errno == EINTR { continue }
      guard count > 0, try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
      place += count
    }
  }
}
