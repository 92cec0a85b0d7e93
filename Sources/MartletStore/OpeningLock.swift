// One at a time opens a database.

import Foundation
import Glibc

/// A lock that is held while a database is opened: settings that are fixed with the first page, the switch to the write-ahead log and
/// migrations are no one transaction, so two that open a new file at once would meet halfway.
enum OpeningLock {
  /// Runs `body` while this process, and this thread in it, is the only one to open databases in the directory of `path`.
  ///
  /// The lock (flock(2)) is on the directory itself: it needs no file of its own, and goes with its holder. On a file
  /// system that has no such locks, there is none.
  static func held<T>(besides path: String, _ body: () throws -> T) rethrows -> T {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    while descriptor >= 0, flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    return try body()
  }
}
