// Where a backup goes: a directory that has its name once it is whole.

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel
import Synchronization

final class BackupTarget: Sendable {
  /// The copy's own name; absolute.
  let path: String
  /// Where it is made.
  var temporary: String { path + Self.unfinished }

  private static let unfinished = ".partial"
  /// Beside an unfinished copy, there before it and until it has its name: what lies beside such a file is ours to remove.
  /// Locked (flock(2)) for as long as somebody makes the copy.
  private static let mark = ".lock"
  private var mark: String { temporary + Self.mark }

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

  /// What backups beside this one left that were cut off: unfinished copies and their marks.
  func leftovers() -> [String] {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.filter { $0.hasSuffix(Self.unfinished + Self.mark) }.map { "\(parent)/\($0)" }.filter {
      $0 != mark && ProcessTable.lockHolder(of: $0) == nil
    }.sorted().flatMap { mark in
      [String(mark.dropLast(Self.mark.count)), mark].filter { access($0, F_OK) == 0 }
    }
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
    let isFresh = try takeMark()
    do {
      try removeRest(isOurs: !isFresh)
      guard mkdir(temporary, 0o700) == 0 else { throw Failure(writing: temporary, code: errno) }
    } catch {
      unlink(mark)
      throw error
    }
  }

  /// - Returns: whether no backup to this place was cut off before.
  private func takeMark() throws -> Bool {
    while true {
      var isFresh = true
      var descriptor = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      if descriptor < 0, errno == EEXIST {
        isFresh = false
        descriptor = open(mark, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { continue }
      }
      guard descriptor >= 0 else { throw Failure(writing: mark, code: errno) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        throw Failure(
          .inUse, "Another backup is just being made at \(path).",
          hint: "Wait for it, or name another place.")
      }
      var (held, named) = (stat(), stat())
      // Whoever held it may have taken the name away before its lock went.
      guard fstat(descriptor, &held) == 0, lstat(mark, &named) == 0, held.st_ino == named.st_ino else {
        close(descriptor)
        continue
      }
      lock.withLock { $0 = descriptor }
      return isFresh
    }
  }

  private func removeRest(isOurs: Bool) throws {
    var entry = stat()
    guard lstat(temporary, &entry) == 0 else { return }
    guard isOurs else {
      throw Failure(
        .cannotCreate, "\(temporary) is in the way, and is no backup that was cut off.",
        hint: "Remove it, or name another place.")
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
    try FileTree.sync(temporary)
    guard rename(temporary, path) == 0 else { throw Failure(writing: path, code: errno) }
    try FileTree.syncOne(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    unlink(mark)
  }

  /// Removes what was made so far.
  func discard() {
    // Whoever is still copying may put something in meanwhile.
    for _ in 0..<50 where access(temporary, F_OK) == 0 {
      if (try? FileManager.default.removeItem(atPath: temporary)) != nil { break }
      usleep(20_000)
    }
    if access(temporary, F_OK) != 0 { unlink(mark) }
  }
}
