// The files around a spool: where spools lie, who may send one, what goes when all is sent.

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel
import MartletSeries

enum SpoolPlace {
  /// Where clients keep the spools of runs from outside.
  static let usual = "~/.martlet-client/spool"

  /// The spools in a directory and below it, or the one that is named; in order. Links are not followed.
  static func spools(in place: String) -> [String] {
    if place.hasSuffix(SpoolFile.suffix), !isDirectory(place) { return [place] }
    guard let below = FileManager.default.enumerator(atPath: place) else { return [] }
    return below.compactMap { $0 as? String }.filter { $0.hasSuffix(SpoolFile.suffix) }
      .map { "\(place)/\($0)" }.filter { !isDirectory($0) }.sorted()
  }

  static func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  /// Removes what a spool's client has no more need of: everything is delivered. What could not be read, or was refused,
  /// stays.
  static func remove(_ spool: SpoolFile) {
    guard !spool.hasMore else { return }
    let directory = spool.directory
    removeFiles(of: spool.stem)
    removeOrphans(in: directory)
    let left = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? ["?"]
    guard spool.isFromOutside, left.allSatisfy({ $0 == "stop_signal" || $0.hasSuffix(".run") }) else {
      return
    }
    if let note = runNote(of: spool) { unlink(note) }
    unlink(directory + "/stop_signal")
    // Somebody may put something here just now: then it stays.
    rmdir(directory)
  }

  /// What became of a spool that may have nothing in it.
  enum Emptiness {
    case removed
    /// Its client has just made it.
    case clientLives
    case holdsSomething
  }

  /// Removes a spool whose client was killed before its first record was whole, and what lies beside it.
  ///
  /// The client takes its lock right behind making the file, and begins another one where it then finds that this was removed.
  ///
  /// - Throws: `Failure` where no lock tells whether the client lives.
  static func removeEmpty(_ path: String) throws -> Emptiness {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return .holdsSomething }
    defer { close(descriptor) }
    guard holdsNothing(descriptor, path) else { return .holdsSomething }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
      if errno == EWOULDBLOCK { return .clientLives }
      throw Failure(
        .wrongInput, "\(path) is empty, and no lock tells there whether its program lives.",
        hint: "Remove it once its program has ended.")
    }
    // It may have been written while we came to the lock.
    guard holdsNothing(descriptor, path) else { return .holdsSomething }
    removeFiles(of: String(path.dropLast(SpoolFile.suffix.count)))
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    removeOrphans(in: directory)
    let left = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? ["?"]
    guard left.allSatisfy({ $0.hasSuffix(".run") }) else { return .removed }
    // Notes of runs whose spools are all sent.
    for note in left { unlink("\(directory)/\(note)") }
    rmdir(directory)
    return .removed
  }

  /// Whether the file ends within its first record.
  private static func holdsNothing(_ descriptor: Int32, _ path: String) -> Bool {
    let name = URL(fileURLWithPath: path).lastPathComponent.dropLast(SpoolFile.suffix.count)
    var entry = stat()
    guard name.utf8.count == 32, name.allSatisfy(\.isHexDigit), fstat(descriptor, &entry) == 0 else {
      return false
    }
    var length: UInt32 = 0
    guard entry.st_size >= 8 else { return true }
    guard pread(descriptor, &length, 4, 0) == 4 else { return false }
    let wanted = Int(UInt32(littleEndian: length))
    return (25...LogRecord.longest).contains(wanted) && Int(entry.st_size) < 8 + wanted
  }

  /// The spool before its sender's lock: whoever gets the lock then sees that nothing is left to do.
  private static func removeFiles(of stem: String) {
    SpoolBeside.remove(stem)
    // Where a sender was killed as it wrote a note, half of that lies there as `.new`.
    for suffix in [".ack", ".ack.new", ".run.new", ".room", SpoolFile.suffix, ".sender"] {
      unlink(stem + suffix)
    }
  }

  /// Files that no row named, since their client was killed before it wrote the row. They are listed before the spools are:
  /// one that is listed and still needed was written by a client whose spool is seen then. Where something was refused, it
  /// may be they, and they stay.
  private static func removeOrphans(in directory: String) {
    let folder = directory + "/blobs"
    let files = FileManager.default
    guard let orphans = try? files.contentsOfDirectory(atPath: folder),
      let beside = try? files.contentsOfDirectory(atPath: directory),
      !beside.contains(where: { $0.hasSuffix(SpoolFile.suffix) || $0.hasSuffix(".error") })
    else { return }
    for name in orphans { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  /// Where senders note the run that was made of an offline one.
  static func runNote(of spool: SpoolFile) -> String? {
    guard let local = spool.first["local"]?.string, !local.contains("/") else { return nil }
    return "\(spool.directory)/\(local).run"
  }
}

/// The lock that makes us the only sender of a spool; it ends with this value.
final class SenderLock {
  enum Attempt {
    case taken(SenderLock)
    /// By this process, as far as that can be told.
    case held(by: Int32?)
  }

  /// Negative where no lock can be made, as on a read-only disk: two senders would be harmless.
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { if descriptor >= 0 { close(descriptor) } }

  static func take(for spool: String) -> Attempt {
    let file = spool.dropLast(SpoolFile.suffix.count) + ".sender"
    let descriptor = open(String(file), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return .taken(SenderLock(-1)) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      return .held(by: ProcessTable.lockHolder(of: String(file)))
    }
    return .taken(SenderLock(descriptor))
  }
}
