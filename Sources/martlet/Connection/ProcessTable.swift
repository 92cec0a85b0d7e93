// Questions about processes of this machine.

import CDispatch  // where the module map puts struct stat
import Foundation

enum ProcessTable {
  /// Whether a process runs; one that has ended and waits for its parent (a zombie) does not.
  static func isAlive(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 || errno == EPERM else { return false }
    // Field 3 of /proc/PID/stat, behind the name in parentheses, which may hold anything (proc_pid_stat(5)).
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = stat.lastIndex(of: ")")
    else { return true }
    return !stat[stat.index(after: end)...].hasPrefix(" Z")
  }

  /// The process that holds a lock (flock(2)) on `file`: asking the kernel's tables disturbs nobody, as trying to take
  /// the lock would. Nil when none does, or the file is not there.
  ///
  /// First whoever wrote its number into the file: `/proc/locks` is read in pages, and lists that change
  /// meanwhile leave entries out.
  static func lockHolder(of file: String) -> Int32? {
    if let text = try? String(contentsOfFile: file, encoding: .utf8),
      let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), holds(pid, file)
    {
      return pid
    }
    var entry = stat()
    guard stat(file, &entry) == 0 else { return nil }
    for _ in 0..<8 {
      if let pid = listedHolder(of: UInt64(entry.st_ino)) { return pid }
    }
    return nil
  }

  /// The process that holds a lock on the file of this inode, as far as one reading of /proc/locks tells.
  private static func listedHolder(of inode: UInt64) -> Int32? {
    // Where the system hides them, nobody is known to hold it: whoever asks says so.
    guard let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8) else { return nil }
    // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF": process, then major:minor:inode.
    for line in locks.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", let pid = Int32(words[4]) else { continue }
      if words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode { return pid }
    }
    return nil
  }

  /// Whether a process has `file` open with a lock on it (proc_pid_fdinfo(5)).
  private static func holds(_ pid: Int32, _ file: String) -> Bool {
    let files = FileManager.default
    let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
    // Another account's process shows nothing: then it is not known here.
    let descriptors = (try? files.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
    return descriptors.contains { descriptor in
      (try? files.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(descriptor)")) == path
        && (try? String(contentsOfFile: "/proc/\(pid)/fdinfo/\(descriptor)", encoding: .utf8))?
          .contains("FLOCK") == true
    }
  }
}

extension ProcessTable {
  /// Whether a process ignores a signal, as what a script started in the background ignores SIGINT
  /// (proc_pid_status(5): `SigIgn`, a mask in hexadecimal digits).
  static func ignores(_ signal: Int32, _ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else {
      return false
    }
    for line in status.split(separator: "\n") where line.hasPrefix("SigIgn:") {
      let mask = line.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) } ?? 0
      return mask >> UInt64(signal - 1) & 1 == 1
    }
    return false
  }
}
