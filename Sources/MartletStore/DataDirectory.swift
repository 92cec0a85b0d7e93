// The one directory that holds everything: its layout, its lock, its permissions.

import Foundation
import Glibc
package import MartletModel
import OrderedCollections

/// A data directory that this process has locked.
///
/// Layout: `martlet.db`, `lock`, `server.json`, `token`, `runs/<id>/attempt-<n>/`, `sweeps/<id>/`, `drafts/`,
/// `results/`.
package final class DataDirectory: Sendable {
  package let path: String
  private let lock: Int32

  /// Makes the directory (0700) where it is missing and locks it.
  ///
  /// - Throws: `Problem`: `unavailable` when it cannot be made or written or lies on a network file system,
  ///   `conflict` when another server holds its lock.
  package init(path: String, allowsNetworkFileSystem: Bool) throws(Problem) {
    let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
    self.path = absolute
    do {
      try FileManager.default.createDirectory(
        atPath: absolute, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Problem(
        .unavailable, "The data directory \(absolute) cannot be made: \(Self.words(of: error)).",
        hint: "Name another with --data or MARTLET_DATA.")
    }
    if let kind = Self.networkFileSystem(of: absolute), !allowsNetworkFileSystem {
      throw Problem(
        .unavailable,
        "The data directory \(absolute) lies on a network file system (\(kind)), where SQLite's locks cannot be trusted.",
        hint: "Name a local one with --data, or insist with --allow-network-file-system.")
    }
    let descriptor = open("\(absolute)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw Problem(
        .unavailable, "The data directory \(absolute) cannot be written: \(Self.words(of: errno)).",
        hint: "Give this account the right to write there, or name another directory with --data.")
    }
    guard Self.takes(descriptor) else {
      let holder = Self.holder(descriptor)
      close(descriptor)
      throw Problem(
        .conflict,
        "The data directory \(absolute) is in use by another martlet server\(holder.isEmpty ? "" : " (process \(holder))").",
        hint:
          "Use that server, end it with 'martlet down --data \(absolute)', or name another directory with --data.",
        details: ["pid": JSONValue(Int(holder))])
    }
    lock = descriptor
    let pid = Array("\(getpid())\n".utf8)
    ftruncate(descriptor, 0)
    if pwrite(descriptor, pid, pid.count, 0) != pid.count {
      throw Problem(
        .unavailable, "The data directory \(absolute) cannot be written: \(Self.words(of: errno)).",
        hint: "Make room on its disk, or name another directory with --data.")
    }
  }

  deinit { close(lock) }

  /// Takes the lock. What a killed server was just starting still holds a copy of it, until it is executed: for such
  /// a lock, whose writer is gone, this waits a moment.
  private static func takes(_ descriptor: Int32) -> Bool {
    for _ in 0..<100 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard let pid = Int32(holder(descriptor)), kill(pid, 0) != 0, errno == ESRCH else { return false }
      usleep(20_000)
    }
    return false
  }

  /// The process id that is written in the lock.
  private static func holder(_ descriptor: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 32)
    let length = max(0, pread(descriptor, &text, text.count, 0))
    return String(decoding: text[..<length], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  package var database: String { "\(path)/martlet.db" }
  package var token: String { "\(path)/token" }
  package var results: String { "\(path)/results" }
  /// Notes of submissions that are not stored yet.
  package var drafts: String { "\(path)/drafts" }

  /// The directory of one attempt's records and logs.
  package func attempt(_ number: Int, of run: PublicID) -> String { "\(path)/runs/\(run)/attempt-\(number)" }

  /// The directory of what was submitted with a sweep.
  package func sweep(_ id: PublicID) -> String { "\(path)/sweeps/\(id)" }

  /// The directory of what was submitted with a run that Martlet executes.
  package func run(_ id: PublicID) -> String { "\(path)/runs/\(id)" }

  /// The kind of network file system that `path` lies on; nil for a local one.
  ///
  /// From the longest mount point in `/proc/self/mountinfo` (proc(5)) that leads to it.
  package static func networkFileSystem(of path: String) -> String? {
    guard let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return nil }
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    var best: (length: Int, kind: String) = (-1, "")
    for line in table.split(separator: "\n") {
      let halves = line.components(separatedBy: " - ")
      let fields = line.split(separator: " ")
      guard halves.count == 2, fields.count > 4, let kind = halves[1].split(separator: " ").first else {
        continue
      }
      let mount = fields[4].replacingOccurrences(of: "\\040", with: " ")
      let leads = place == mount || place.hasPrefix(mount.hasSuffix("/") ? mount : "\(mount)/")
      if leads, mount.utf8.count >= best.length { best = (mount.utf8.count, String(kind)) }
    }
    let network = [
      "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "ceph", "beegfs", "9p", "afs", "glusterfs",
      "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "pvfs2", "orangefs", "wekafs",
    ]
    return network.contains(best.kind) ? best.kind : nil
  }

  private static func words(of error: any Error) -> String {
    if let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError {
      return words(of: posix.code.rawValue)
    }
    return error.localizedDescription
  }

  private static func words(of code: Int32) -> String { String(cString: strerror(code)) }
}
