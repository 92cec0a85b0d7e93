// A small file of the data directory that only the server's account can read: secrets, and where the server is.

import Glibc
import MartletModel

/// Only the server that holds the data directory's lock writes such files; others may read them at any time.
struct PrivateFile: Sendable {
  let path: String

  /// Where the text is made whole before it takes its place.
  private var unfinished: String { path + ".new" }

  init(_ path: String) { self.path = path }

  /// The secret in the file, without its line's end; nil when there is no file, one that others could have read or
  /// written, or one that is too short to hold a secret.
  func secret() throws -> String? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else {
      // A symbolic link (ELOOP) is not ours either: it is replaced, and what it points to stays untouched.
      if errno == ENOENT || errno == ELOOP { return nil }
      throw fileProblem("The secret in \(path) cannot be read")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw fileProblem("The secret in \(path) cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o077 == 0,
      status.st_nlink == 1
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(file, &bytes, bytes.count)
    guard count >= 0 else { throw fileProblem("The secret in \(path) cannot be read") }
    let text = String(decoding: bytes[..<count], as: UTF8.self).filter { !$0.isWhitespace }
    return text.utf8.count >= 40 ? text : nil
  }

  /// Writes the file whole or not at all: a new one (O_EXCL, no links followed), synced, then renamed over it.
  func write(_ text: String) throws {
    try removeUnfinished()
    let file = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw fileProblem("\(unfinished) cannot be written") }
    let bytes = Array(text.utf8)
    let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    let code = errno
    close(file)
    guard isWritten, rename(unfinished, path) == 0 else {
      let problem = fileProblem("\(path) cannot be written", code: isWritten ? errno : code)
      unlink(unfinished)
      throw problem
    }
  }

  /// Removes the file; one that is not there is no error.
  func remove() throws {
    if unlink(path) != 0, errno != ENOENT { throw fileProblem("\(path) cannot be removed") }
  }

  /// Removes what a server left that was killed while it wrote.
  func removeUnfinished() throws {
    if unlink(unfinished) != 0, errno != ENOENT { throw fileProblem("\(unfinished) cannot be removed") }
  }
}

func fileProblem(_ what: String, code: Int32 = errno) -> Problem {
  Problem(
    .unavailable, "\(what): \(String(cString: strerror(code))).",
    hint: "The account that runs the server must own the data directory and be able to write there.")
}
