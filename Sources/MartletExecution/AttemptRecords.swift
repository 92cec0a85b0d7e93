// The files in an attempt's directory: what its supervisor wrote, and the lock that says whether it lives.

import Foundation
import Glibc
package import MartletModel

/// A process as its supervisor recorded it: a number and a start time, which together are never given twice.
package struct ProcessIdentity: Sendable, Hashable {
  package var pid: Int32
  /// Clock ticks since boot (field 22 of `/proc/PID/stat`).
  package var start: UInt64

  /// Whether this very process runs now; false when it has ended, be it that nobody has waited for it yet (a zombie),
  /// or the number has passed to another one.
  package var exists: Bool {
    guard let stat = ProcessStat.read(pid) else { return false }
    return stat.start == start && !stat.hasEnded
  }

  /// Sends `signal` to this very process. Returns false when it is gone.
  @discardableResult
  package func signal(_ signal: Int32) -> Bool { exists && kill(pid, signal) == 0 }

  /// Sends `signal` to the group that this very process leads. Returns false when it is gone.
  @discardableResult
  package func signalGroup(_ signal: Int32) -> Bool { exists && kill(-pid, signal) == 0 }
}

/// `attempt.json`.
package struct AttemptFile: Sendable {
  package var bootID: String
  /// The first word of the command, for people.
  package var program: String?
  package var supervisor: ProcessIdentity
  /// Nil when nothing was started.
  package var command: ProcessIdentity?

  /// Of no boot: nobody can be found by it.
  static let damaged = AttemptFile(
    bootID: "", program: nil, supervisor: ProcessIdentity(pid: 0, start: 0), command: nil)

  private init(bootID: String, program: String?, supervisor: ProcessIdentity, command: ProcessIdentity?) {
    self.bootID = bootID
    self.program = program
    self.supervisor = supervisor
    self.command = command
  }

  init?(json: JSONValue) {
    func process(_ value: JSONValue?) -> ProcessIdentity? {
      guard let pid = value?["pid"]?.int.flatMap(Int32.init(exactly:)), pid > 0,
        let start = value?["start"]?.int.flatMap(UInt64.init(exactly:))
      else { return nil }
      return ProcessIdentity(pid: pid, start: start)
    }
    guard let bootID = json["boot_id"]?.string, let supervisor = process(json["supervisor"]) else {
      return nil
    }
    self.bootID = bootID
    program = json["program"]?.string
    self.supervisor = supervisor
    command = process(json["command"])
  }
}

/// `exit.json`.
package struct ExitFile: Sendable, Hashable {
  package var code: Int
  package var signal: Int
  /// Not 0: it could not be started.
  package var errno: Int
  package var reason: String
  package var wasKilled: Bool
  package var endedAt: Timestamp
  /// Seconds.
  package var wall: Double
  /// Which limit ended it: `memory`, `output`, `time`.
  package var limit: String?
  /// Bytes that its tree held at most, as far as that was seen.
  package var peakMemory: Int64?
  /// Of its whole tree; nil: an older record.
  package var cpuSeconds: Double?
  /// The kernel killed for want of memory, though its own limit was not passed: one of its processes, or, where SIGKILL
  /// came from somebody else, some process of this machine meanwhile.
  package var machineRanOut: Bool

  package init?(json: JSONValue) {
    guard let code = json["code"]?.int, let signal = json["signal"]?.int, let errno = json["errno"]?.int,
      let reason = json["reason"]?.string, let ended = json["ended_us"]?.int, let wall = json["wall"]?.double
    else { return nil }
    self.code = Int(code)
    self.signal = Int(signal)
    self.errno = Int(errno)
    self.reason = reason
    self.wall = wall
    wasKilled = json["killed"]?.bool ?? false
    limit = json["limit"]?.string
    peakMemory = json["peak_bytes"]?.int.flatMap { $0 > 0 ? $0 : nil }
    if let user = json["utime"]?.double, let system = json["stime"]?.double { cpuSeconds = user + system }
    machineRanOut = (json["oom_kills"]?.int ?? 0) + (json["machine_oom_kills"]?.int ?? 0) > 0
    endedAt = Timestamp(microseconds: ended)
  }
}

/// What an attempt's directory says of it.
package enum AttemptCondition: Sendable {
  /// Its supervisor holds the lock.
  case alive
  case ended(ExitFile)
  /// Its supervisor is gone without an exit record.
  case lost(AttemptFile)
  /// Nothing was started, and from now on nothing can be: `revoked` lies in the directory.
  case neverStarted
}

/// One attempt's directory.
package struct AttemptDirectory: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  /// Where its client's spools lie.
  package var spool: String { "\(path)/spool" }

  /// Whether its program said that it handles SIGUSR1.
  package var wantsUserSignal: Bool {
    let wish = try? String(contentsOfFile: "\(spool)/stop_signal", encoding: .utf8)
    return wish?.hasPrefix("USR1") ?? false
  }

  package var attemptFile: AttemptFile? { read("attempt.json").flatMap(AttemptFile.init(json:)) }
  package var exitFile: ExitFile? { read("exit.json").flatMap(ExitFile.init(json:)) }

  private func read(_ name: String) -> JSONValue? {
    guard let bytes = try? bytes(of: name) else { return nil }
    return try? JSONValue.parse(bytes)
  }

  /// Nil: there is no such file.
  ///
  /// - Throws: `Problem` when it is there and cannot be read: nothing may be concluded then.
  private func bytes(of name: String) throws(Problem) -> [UInt8]? {
    let file = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw problem("read")
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = Glibc.read(file, &bytes, bytes.count)
    guard count >= 0 else { throw problem("read") }
    return Array(bytes[..<count])
  }

  /// Asks the lock, then the records. When nothing was started, revokes the right to.
  ///
  /// - Throws: `Problem` when the directory cannot be read or written.
  package func condition() throws(Problem) -> AttemptCondition {
    // A directory that was never made: no supervisor can have it, since none makes it.
    guard FileManager.default.fileExists(atPath: path) else { return .neverStarted }
    let lock = try openLock()
    defer { close(lock) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return .alive }
    return try conditionUnderLock()
  }

  /// Waits until its supervisor, whoever's child it is, has let go of the lock. Blocks its thread.
  package func waitUntilReleased() throws(Problem) -> AttemptCondition {
    let lock = try openLock()
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 {
      guard errno == EINTR else { throw problem("locked") }
    }
    return try conditionUnderLock()
  }

  private func conditionUnderLock() throws(Problem) -> AttemptCondition {
    if let bytes = try bytes(of: "exit.json"), let json = try? JSONValue.parse(bytes),
      let exit = ExitFile(json: json)
    {
      return .ended(exit)
    }
    if let bytes = try bytes(of: "attempt.json") {
      // It began. A record that is damaged says no more than that.
      let json = try? JSONValue.parse(bytes)
      return .lost(json.flatMap(AttemptFile.init(json:)) ?? .damaged)
    }
    let revoked = open("\(path)/revoked", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard revoked >= 0 else { throw problem("written") }
    fsync(revoked)
    close(revoked)
    return .neverStarted
  }

  private func openLock() throws(Problem) -> Int32 {
    let lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw problem("opened") }
    return lock
  }

  private func problem(_ verb: String) -> Problem {
    Problem(
      .unavailable, "The attempt's directory \(path) cannot be \(verb): \(String(cString: strerror(errno))).",
      hint: "Check the disk and the directory's permissions.")
  }

  /// The last lines of an output, for whoever asks why it failed.
  package func lastLines(of stream: LogStream, count: Int) -> [String] {
    guard let file = FileHandle(forReadingAtPath: "\(path)/\(stream.rawValue).log") else { return [] }
    defer { try? file.close() }
    let size = (try? file.seekToEnd()) ?? 0
    try? file.seek(toOffset: size - min(size, 16_384))
    let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
  }
}

/// The current boot, which outdates every process that was recorded in another.
package func currentBootID() -> String {
  ((try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "")
    .trimmingCharacters(in: .whitespacesAndNewlines)
}
