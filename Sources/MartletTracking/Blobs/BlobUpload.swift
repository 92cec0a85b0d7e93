// An object on its way in: written as it comes, hashed as it is written.

import Glibc
import MartletModel
import Synchronization

/// A temporary file that gets a name or goes.
///
/// Calls may wait for the disk: they belong on a thread that may. They may come from different threads, one at a time.
package final class BlobUpload: Sendable {
  private struct State {
    var descriptor: Int32
    /// Nil once it has its own name, or was given up.
    var path: String?
    var digest = SHA256()
    var size: Int64 = 0
  }

  private let state: Mutex<State>

  init(path: String) throws(Problem) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw blobProblem("\(path) cannot be written") }
    state = Mutex(State(descriptor: descriptor, path: path))
  }

  deinit { discard() }

  /// Bytes so far.
  package var size: Int64 { state.withLock(\.size) }

  /// Adds bytes at the end.
  ///
  /// - Throws: `Problem.unavailable` when the disk does not take them; the upload is then of no use.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try state.withLock { state in
      var rest = bytes
      while !rest.isEmpty {
        let count = Glibc.write(state.descriptor, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw blobProblem("\(state.path ?? "An upload") cannot be written") }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      state.digest.update(bytes)
      state.size += Int64(bytes.count)
    }
  }

  /// Adds all that is in a file.
  ///
  /// - Throws: `Problem`: `notFound` for what is no plain file or cannot be read, `unavailable` as `write`.
  func write(contentsOf path: String) throws {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    var status = stat()
    guard file >= 0, fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let problem = Problem(.notFound, "\(path) is no plain file that can be read.")
      if file >= 0 { close(file) }
      throw problem
    }
    defer { close(file) }
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Problem(.notFound, "\(path) cannot be read: \(String(cString: strerror(errno))).")
      }
      if count == 0 { return }
      try piece[..<count].withUnsafeBytes { try write($0) }
    }
  }

  /// Brings all bytes to the disk; nothing can be added any more.
  ///
  /// - Returns: the hash of what was written.
  package func end() throws -> ContentHash {
    try state.withLock { state in
      let isSynced = fsync(state.descriptor) == 0
      let code = errno
      close(state.descriptor)
      state.descriptor = -1
      guard isSynced, let hash = ContentHash(bytes: state.digest.finish()) else {
        throw blobProblem("\(state.path ?? "An upload") cannot be written", code: code)
      }
      return hash
    }
  }

  /// Gives it up: the file goes.
  package func discard() {
    state.withLock { state in
      if state.descriptor >= 0 { close(state.descriptor) }
      state.descriptor = -1
      // What cannot be removed now is removed when the server starts.
      if let path = state.path { unlink(path) }
      state.path = nil
    }
  }

  func rename(to place: String) throws(Problem) {
    let code = state.withLock { state -> Int32 in
      guard let path = state.path, Glibc.rename(path, place) == 0 else { return errno }
      state.path = nil
      return 0
    }
    guard code == 0 else { throw blobProblem("\(place) cannot be written", code: code) }
  }
}
