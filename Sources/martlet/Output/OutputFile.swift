// A file that has its name once it is whole.

import CDispatch  // where the module map puts struct stat
import Foundation

/// A file that is written under a temporary name beside its own, or standard output.
final class OutputFile {
  /// Where it will lie; nil: standard output.
  let path: String?
  private let descriptor: Int32
  private var pending: [UInt8] = []

  private static let piece = 1 << 18
  /// What the name of an unfinished file ends with.
  static let unfinished = ".partial"

  /// Begins a file.
  ///
  /// - Parameter path: nil: standard output.
  init(path: String?) throws {
    self.path = path
    guard let path else {
      descriptor = STDOUT_FILENO
      return
    }
    descriptor = open(path + Self.unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw Failure(writing: path, code: errno) }
  }

  func write(_ bytes: some Collection<UInt8>) throws {
    pending += bytes
    if pending.count >= Self.piece { try flush() }
  }

  func write(_ text: String) throws { try write(text.utf8) }

  /// Brings what was written on its way.
  func flush() throws {
    defer { pending.removeAll(keepingCapacity: true) }
    guard let path else { return try Terminal.write(pending, to: descriptor) }
    try Self.write(pending, to: descriptor, of: path)
  }

  /// Writes the rest and gives the file its name.
  func finish() throws {
    try flush()
    guard let path else { return }
    guard close(descriptor) == 0, rename(path + Self.unfinished, path) == 0 else {
      throw Failure(writing: path, code: errno)
    }
  }

  /// Gives an unfinished file up.
  func discard() {
    guard let path else { return }
    close(descriptor)
    unlink(path + Self.unfinished)
  }

  /// Writes all of `bytes`.
  static func write(_ bytes: [UInt8], to descriptor: Int32, of path: String) throws(Failure) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        sent += count
      } else if errno != EINTR {
        throw Failure(writing: path, code: errno)
      }
    }
  }
}

extension Failure {
  /// A file that cannot be written, in words.
  ///
  /// - Parameter code: `errno`.
  init(writing path: String, code: Int32) {
    let hint: String? =
      switch code {
      case ENOSPC, EDQUOT: "Make room on that disk, or name a place on another one."
      case EROFS: "That disk can only be read: name a place on another one."
      case EACCES, EPERM: "Name a place where this account may write."
      default: nil
      }
    let words = code == ENOSPC ? "the disk is full" : String(cString: strerror(code))
    self.init(.cannotCreate, "\(path) cannot be written: \(words).", hint: hint)
  }
}
