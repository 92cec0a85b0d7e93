// The data directory: whether it can be used, who uses it, and what it stands on.

import CDispatch  // where the module map puts struct stat
import Foundation

struct DirectoryChecks {
  let data: DataDirectory

  var all: [Check] {
    var entry = stat()
    guard stat(data.path, &entry) == 0 else { return [missing] }
    guard entry.st_mode & S_IFMT == S_IFDIR else {
      return [
        Check(
          "data directory", .error, "\(data.path) is no directory.",
          hint: "Name another with --data or MARTLET_DATA.")
      ]
    }
    return [writable, permissions(entry), lock, writeAheadLog, space, fileSystem].compactMap { $0 }
  }

  private var missing: Check {
    let reason = errno
    guard reason == ENOENT else {
      return Check("data directory", .error, "\(data.path): \(String(cString: strerror(reason))).")
    }
    // The nearest directory above that exists is where it would be made.
    var parent = URL(fileURLWithPath: data.path).deletingLastPathComponent()
    while access(parent.path, F_OK) != 0, parent.path != "/" { parent.deleteLastPathComponent() }
    guard access(parent.path, W_OK | X_OK) == 0 else {
      return Check(
        "data directory", .error,
        "\(data.path) is not there and cannot be made: \(parent.path) is not writable.",
        hint: "Name another with --data or MARTLET_DATA.")
    }
    return Check("data directory", .ok, "\(data.path) is not there yet; martlet up makes it.")
  }

  private var writable: Check {
    guard access(data.path, R_OK | W_OK | X_OK) == 0 else {
      return Check(
        "data directory", .error, "\(data.path) cannot be written by this account.",
        hint: "Change its owner, or name another with --data or MARTLET_DATA.")
    }
    return Check("data directory", .ok, data.path)
  }

  private func permissions(_ entry: stat) -> Check {
    let mode = entry.st_mode & 0o777
    guard mode & 0o077 == 0 else {
      return Check(
        "permissions", .warning, "Others may look into \(data.path) (mode \(String(mode, radix: 8))).",
        hint: "chmod 700 \(Words.command([data.path])) keeps tokens and logs to yourself.")
    }
    return Check("permissions", .ok, "Only this account (mode \(String(mode, radix: 8))).")
  }

  private var lock: Check {
    guard let pid = ProcessTable.lockHolder(of: data.lockFile) else { return Check("lock", .ok, "Free.") }
    let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?
      .trimmingCharacters(in: .newlines)
    let holder = name.map { "\($0), process \(pid)" } ?? "process \(pid)"
    guard let announced = try? data.announcement() else {
      return Check(
        "lock", .warning, "Held by \(holder), which has not said that it is up.",
        hint: "If it does not come up, look into \(data.logFile).")
    }
    return Check("lock", .ok, "Held by \(holder): the server at \(announced.url).")
  }

  private var writeAheadLog: Check? {
    let file = data.path + "/martlet.db-wal"
    var entry = stat()
    guard stat(file, &entry) == 0 else {
      return Check("write-ahead log", .ok, "None: nothing waits to be merged.")
    }
    let size = Int64(entry.st_size)
    guard size < 1_000_000_000 else {
      return Check(
        "write-ahead log", .warning, "\(Words.bytes(size)) wait to be merged into the database.",
        hint: "A server that is up merges it; a reader that stays open for long keeps it from doing so.")
    }
    return Check("write-ahead log", .ok, Words.bytes(size))
  }

  private var space: Check {
    var volume = statvfs()
    guard statvfs(data.path, &volume) == 0 else {
      return Check("disk", .warning, "Free space cannot be asked: \(String(cString: strerror(errno))).")
    }
    let free = Int64(clamping: UInt64(volume.f_bavail) * UInt64(volume.f_frsize))
    let hint = "Free some space: when it runs out, runs lose their logs."
    switch free {
    case ..<100_000_000: return Check("disk", .error, "Only \(Words.bytes(free)) free.", hint: hint)
    case ..<2_000_000_000: return Check("disk", .warning, "Only \(Words.bytes(free)) free.", hint: hint)
    default: break
    }
    // Some file systems count no files.
    guard volume.f_files == 0 || volume.f_favail >= 10_000 else {
      return Check("disk", .warning, "Only \(volume.f_favail) more files can be made.", hint: hint)
    }
    return Check("disk", .ok, "\(Words.bytes(free)) free.")
  }

  private var fileSystem: Check {
    let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    let real = URL(fileURLWithPath: data.path).resolvingSymlinksInPath().path
    return Self.fileSystem(of: real, mounts: mounts)
  }

  /// What is to be said of the file system below a path.
  ///
  /// - Parameter mounts: as proc_pid_mountinfo(5) has them.
  static func fileSystem(of path: String, mounts: String) -> Check {
    guard let kind = mountedKind(of: path, mounts) else {
      return Check("file system", .warning, "Its kind cannot be found out.")
    }
    if Self.networks.contains(kind) || kind.hasPrefix("fuse.") {
      return Check(
        "file system", .warning,
        "\(kind): locks and shared memory cannot be trusted there, and the database's write-ahead log needs both.",
        hint: "Keep the data directory on a disk of this machine; results may lie elsewhere.")
    }
    if kind == "tmpfs" || kind == "ramfs" {
      return Check(
        "file system", .warning, "\(kind): all is lost when the machine restarts.",
        hint: "Keep the data directory on a disk.")
    }
    return Check("file system", .ok, kind)
  }

  private static let networks: Set<String> = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "ocfs2", "gfs2", "beegfs",
    "fuse",
    "glusterfs", "virtiofs", "vboxsf",
  ]

  /// The kind of the file system that a path lies on: of the mount whose path is the longest above it
  /// (proc_pid_mountinfo(5): the mount point is field 5, the kind follows " - ").
  private static func mountedKind(of real: String, _ mounts: String) -> String? {
    var best: (length: Int, kind: String)?
    for line in mounts.split(separator: "\n") {
      let halves = line.split(separator: " - ", maxSplits: 1)
      let fields = halves[0].split(separator: " ")
      guard halves.count == 2, fields.count >= 5, let kind = halves[1].split(separator: " ").first else {
        continue
      }
      let point = fields[4].replacing("\\040", with: " ")
      guard point == "/" || real == point || real.hasPrefix(point + "/") else { continue }
      // Of several mounts at one place the last is on top.
      if point.count >= best?.length ?? 0 { best = (point.count, String(kind)) }
    }
    return best?.kind
  }
}
