// The directories of runs, `runs/<id>/`, and how they go: what was submitted, the records and logs of attempts.

import Glibc
import MartletModel

/// Directories of runs below one data directory. All calls may wait for the disk.
///
/// Each step goes from an open directory to a name in it and follows no link: what lies elsewhere stays, whatever points
/// to it.
package struct RunDirectories: Sendable {
  let data: String

  /// - Parameter data: the data directory.
  package init(data: String) { self.data = data }

  /// Removes a run's directory; one that is not there, or not whole any more, is fine.
  ///
  /// - Returns: false when a supervisor still holds the lock of one of its attempts. Nothing is removed then.
  /// - Throws: `Problem.unavailable`, also when `runs` is a link or the directory reaches into another file system.
  func remove(_ id: PublicID) throws -> Bool {
    let root = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw problem("\(data) cannot be read") }
    defer { close(root) }
    let isRemoved = try withDirectory(Self.name("runs"), in: root, device: nil) { runs, device in
      let name = Self.name(id.rawValue)
      let locks = try locks(of: name, in: runs, device)
      defer { for lock in locks ?? [] { close(lock) } }
      guard locks != nil else { return false }
      try remove(name, in: runs, device)
      // Before it is noted that it is gone.
      fsync(runs)
      return true
    }
    return isRemoved ?? true
  }

  /// Where a log lies that a client of a run sends.
  ///
  /// - Parameter number: from 1.
  func receivedLog(_ number: Int, of run: PublicID) -> String { "\(data)/runs/\(run)/log-\(number)" }

  // MARK: - Locks

  /// The locks of a run's attempts, taken; nil when somebody else holds one. Whoever calls this closes them.
  private func locks(of run: [CChar], in runs: Int32, _ device: dev_t) throws -> [Int32]? {
    var status = stat()
    // What is no directory has no attempts.
    guard fstatat(runs, run, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return []
    }
    var taken: [Int32] = []
    var isFree = true
    do {
      try withDirectory(run, in: runs, device: device) { directory, _ in
        for name in try names(in: directory) where Self.isAttempt(name) {
          guard let lock = try lock(of: name, in: directory) else { continue }
          taken.append(lock)
          guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            isFree = false
            return
          }
        }
      }
    } catch {
      for lock in taken { close(lock) }
      throw error
    }
    if isFree { return taken }
    for lock in taken { close(lock) }
    return nil
  }

  /// Nil: there is none.
  private func lock(of attempt: [CChar], in run: Int32) throws -> Int32? {
    let directory = openat(run, attempt, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else {
      guard [ENOENT, ENOTDIR, ELOOP].contains(errno) else {
        throw problem("\(Self.text(attempt)) cannot be read")
      }
      return nil
    }
    defer { close(directory) }
    let lock = openat(directory, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard lock >= 0 else {
      guard [ENOENT, ELOOP].contains(errno) else { throw problem("The lock of an attempt cannot be read") }
      return nil
    }
    return lock
  }

  private static func isAttempt(_ name: [CChar]) -> Bool { text(name).hasPrefix("attempt-") }

  // MARK: - Removing

  /// Removes a file, a link itself, or a directory and what is in it.
  private func remove(_ name: [CChar], in parent: Int32, _ device: dev_t) throws {
    if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
    guard errno == EISDIR else { throw problem("\(Self.text(name)) cannot be removed") }
    try withDirectory(name, in: parent, device: device) { directory, device in
      for name in try names(in: directory) { try remove(name, in: directory, device) }
    }
    if unlinkat(parent, name, AT_REMOVEDIR) != 0, errno != ENOENT {
      throw problem("\(Self.text(name)) cannot be removed")
    }
  }

  /// Opens a directory that is no link; nil: there is none.
  ///
  /// - Parameter device: where it must lie; nil: anywhere.
  @discardableResult
  private func withDirectory<T>(
    _ name: [CChar], in parent: Int32, device: dev_t?, _ body: (Int32, dev_t) throws -> T
  ) throws -> T? {
    let directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else {
      if errno == ENOENT { return nil }
      throw problem("\(Self.text(name)) cannot be read")
    }
    defer { close(directory) }
    var status = stat()
    guard fstat(directory, &status) == 0 else { throw problem("\(Self.text(name)) cannot be read") }
    guard device == nil || device == status.st_dev else {
      throw Problem(.unavailable, "\(Self.text(name)) lies on another file system and is not removed.")
    }
    return try body(directory, status.st_dev)
  }

  /// The names in an open directory, which need not be text.
  private func names(in directory: Int32) throws -> [[CChar]] {
    let copy = dup(directory)
    guard copy >= 0, let stream = fdopendir(copy) else {
      let failure = problem("A directory cannot be read")
      if copy >= 0 { close(copy) }
      throw failure
    }
    defer { closedir(stream) }
    var names: [[CChar]] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw problem("A directory cannot be read") }
        return names
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        let text = UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self)
        return Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
      }
      if name != Self.name("."), name != Self.name("..") { names.append(name) }
    }
  }

  // MARK: - Words

  private static func name(_ text: String) -> [CChar] { text.utf8CString.map(\.self) }

  private static func text(_ name: [CChar]) -> String {
    String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private func problem(_ what: String) -> Problem {
    Problem(
      .unavailable, "\(what): \(String(cString: strerror(errno))).",
      hint: "Check the directory 'runs' in \(data) and its permissions.")
  }
}
