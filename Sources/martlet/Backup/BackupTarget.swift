// Where a backup goes: a directory that has its name once it is whole.

import CDispatch  // where the module map puts struct stat
import Foundation
import Synchronization

final class BackupTarget: Sendable {
  /// The copy's own name; absolute.
  let path: String
  /// Where it is made.
  var temporary: String { path + Self.unfinished }

  private static let unfinished = ".partial"
  /// Lies in an unfinished copy, locked (flock(2)) for as long as somebody makes it.
  private static let mark = ".martlet-backup"

  private let lock = Mutex<Int32>(-1)

  /// - Throws: `Failure` when nothing can be made there.
  init(_ name: String, source: BackupSource) throws(Failure) {
    let url = URL(fileURLWithPath: name).standardizedFileURL
    let parent = url.deletingLastPathComponent().resolvingSymlinksInPath()
    path = parent.appendingPathComponent(url.lastPathComponent).path
    guard access(parent.path, F_OK) == 0 else {
      throw Failure(
        .cannotCreate, "\(path) cannot be made: there is no directory \(parent.path).",
        hint: "Make that directory first, or name another place.")
    }
    var entry = stat()
    guard lstat(path, &entry) != 0 else {
      throw Failure(
        .cannotCreate, "\(path) is there already; a backup overwrites nothing.", hint: "Name another place.")
    }
    let original = URL(fileURLWithPath: source.path).resolvingSymlinksInPath().path
    guard path != original, !path.hasPrefix(original + "/") else {
      throw Failure(
        .usage, "\(path) lies in the data directory \(original).",
        hint: "Name a place outside of it, best on another disk.")
    }
    guard access(parent.path, W_OK | X_OK) == 0 else { throw Failure(writing: path, code: errno) }
  }

  /// Unfinished copies beside this one that nobody works on.
  func leftovers() -> [String] {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.filter { $0.hasSuffix(Self.unfinished) }.map { "\(parent)/\($0)" }.filter { other in
      other != temporary && access("\(other)/\(Self.mark)", F_OK) == 0
        && ProcessTable.lockHolder(of: "\(other)/\(Self.mark)") == nil
    }.sorted()
  }

  /// Makes the temporary directory, after what a killed backup left of it is gone.
  ///
  /// - Parameter space: bytes that the copy will take.
  func begin(space: Int64) throws {
    var volume = statvfs()
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    if statvfs(parent, &volume) == 0 {
      let free = Int64(clamping: UInt64(volume.f_bavail) * UInt64(volume.f_frsize))
      guard free > space else {
        throw Failure(
          .cannotCreate,
          "The backup takes \(Words.bytes(space)), and there are \(Words.bytes(free)) free in \(parent).",
          hint: "Make room there, or name a place on another disk.")
      }
    }
    try removeRest()
    guard mkdir(temporary, 0o700) == 0 else { throw Failure(writing: temporary, code: errno) }
    let mark = "\(temporary)/\(Self.mark)"
    let descriptor = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure(writing: mark, code: errno)
    }
    lock.withLock { $0 = descriptor }
  }

  private func removeRest() throws {
    var entry = stat()
    guard lstat(temporary, &entry) == 0 else { return }
    let mark = "\(temporary)/\(Self.mark)"
    let descriptor = open(mark, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw Failure(
        .cannotCreate, "\(temporary) is in the way, and is no backup that was cut off.",
        hint: "Remove it, or name another place.")
    }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure(
        .inUse, "Another backup is just being made at \(path).", hint: "Wait for it, or name another place.")
    }
    Terminal.complain("martlet: \(temporary), left of a backup that was cut off, is removed.")
    do {
      try FileManager.default.removeItem(atPath: temporary)
    } catch {
      throw Failure(.cannotCreate, "\(temporary) cannot be removed: \(error.localizedDescription)")
    }
  }

  /// Brings everything to the disk and gives the copy its name.
  func finish() throws {
    guard unlink("\(temporary)/\(Self.mark)") == 0 else { throw Failure(writing: temporary, code: errno) }
    try FileTree.sync(temporary)
    guard rename(temporary, path) == 0 else { throw Failure(writing: path, code: errno) }
    try FileTree.syncOne(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }

  /// Removes what was made so far.
  func discard() {
    // Whoever is still copying may put something in meanwhile.
    for _ in 0..<50 where access(temporary, F_OK) == 0 {
      if (try? FileManager.default.removeItem(atPath: temporary)) != nil { return }
      usleep(20_000)
    }
  }
}
