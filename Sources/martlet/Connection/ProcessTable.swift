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

  /// The process that holds a lock (flock(2)) on `file`, from /proc/locks: asking this way disturbs nobody, as trying
  /// to take the lock would. Nil when none does, or the file is not there.
  static func lockHolder(of file: String) -> Int32? {
    var entry = stat()
    guard stat(file, &entry) == 0, let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
    else {
      return nil
    }
    // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF": process, then major:minor:inode.
    for line in locks.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", let pid = Int32(words[4]) else { continue }
      if words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == UInt64(entry.st_ino) { return pid }
    }
    return nil
  }
}
