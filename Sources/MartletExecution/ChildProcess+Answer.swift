// Asking a program that answers in a moment: all it wrote, within a time and a size.

import Glibc
package import MartletModel

extension ChildProcess {
  /// What a program wrote, and how it ended.
  package struct Answer: Sendable, Hashable {
    package enum Ending: Sendable, Hashable {
      case exited(Int32)
      case signalled(Int32)
      /// It was killed, with all of its group, when its time was over.
      case outOfTime
      /// It was killed, with all of its group, because it wrote more than was wanted.
      case tooLong
      /// It has ended, and how was told to somebody else, who waited for all children of this process.
      case unknown
    }

    package var ending: Ending
    /// What it wrote to its standard output; at most the limit.
    package var output: [UInt8]
    /// What it wrote to its standard error; at most the limit.
    package var errors: [UInt8]

    package var isSuccess: Bool { ending == .exited(0) }
  }

  /// Runs it to its end, with an empty standard input, and reads what it writes. Blocks.
  ///
  /// What it leaves behind in the background is not waited for, be it that it holds the program's output.
  ///
  /// - Parameters:
  ///   - patience: how long it may take.
  ///   - limit: bytes that it may write to each of its outputs.
  /// - Throws: `Problem.unavailable` when it cannot be started.
  package func run(within patience: Duration, limit: Int = .max) throws(Problem) -> Answer {
    let deadline = ContinuousClock.now + patience
    let output = try Listener()
    let errors = try Listener()
    let pid = try start(output: output.writing, errors: errors.writing, standing: .group)
    output.closeWriting()
    errors.closeWriting()
    var pause = Duration.milliseconds(1)
    while true {
      // Asked before the last look at the outputs, never after.
      let ended = Self.reap(pid)
      let isDrained = [output, errors].map { $0.read(upTo: limit) }.allSatisfy(\.self)
      let isTooLong = output.isOver || errors.isOver
      if let ended, !isTooLong, isDrained {
        return Answer(ending: ended, output: output.bytes, errors: errors.bytes)
      }
      let remaining = deadline - .now
      if isTooLong || remaining <= .zero {
        if ended == nil { Self.end(pid) }
        return Answer(
          ending: isTooLong ? .tooLong : .outOfTime, output: output.bytes, errors: errors.bytes)
      }
      guard isDrained else { continue }
      // A program that has closed its outputs is about to end; one that goes on shall not be asked all the time.
      let isSilent = output.isAtEnd && errors.isAtEnd
      Self.wait([output, errors], for: min(remaining, isSilent ? pause : .milliseconds(50)))
      if isSilent { pause = min(pause * 2, .milliseconds(20)) }
    }
  }

  /// How it ended; nil: it has not.
  private static func reap(_ pid: pid_t) -> Answer.Ending? {
    var status: Int32 = 0
    let found = waitpid(pid, &status, WNOHANG)
    if found < 0, errno == ECHILD { return .unknown }
    guard found == pid else { return nil }
    // The macros of <sys/wait.h>.
    return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .signalled(status & 0x7F)
  }

  /// Kills it and what it started, and reaps it when it is gone: what hangs in a file system may take its time.
  private static func end(_ pid: pid_t) {
    kill(-pid, SIGKILL)
    Supervision.thread("reap") {
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
  }

  private static func wait(_ listeners: [Listener], for time: Duration) {
    var interests = listeners.filter { !$0.isAtEnd }.map {
      pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0)
    }
    let (seconds, fraction) = time.components
    let milliseconds = seconds * 1000 + fraction / 1_000_000_000_000_000
    _ = poll(&interests, nfds_t(interests.count), Int32(clamping: max(1, milliseconds)))
  }
}

/// Our end of a program's output.
private final class Listener {
  let reading: Int32
  private(set) var writing: Int32
  private(set) var bytes: [UInt8] = []
  private(set) var isAtEnd = false
  /// It wrote more than the limit.
  private(set) var isOver = false

  init() throws(Problem) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Self.noDescriptors }
    // Above the first three, which the program's own are made of, and closed on exec.
    let lifted = ends.map { fcntl($0, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) }
    let failed = errno
    for end in ends { Glibc.close(end) }
    (reading, writing) = (lifted[0], lifted[1])
    guard reading >= 0, writing >= 0 else {
      errno = failed
      throw Self.noDescriptors
    }
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
  }

  deinit {
    if reading >= 0 { Glibc.close(reading) }
    closeWriting()
  }

  private static var noDescriptors: Problem {
    Problem(.unavailable, "There is no pipe for a program's output: \(String(cString: strerror(errno))).")
  }

  func closeWriting() {
    if writing >= 0 { Glibc.close(writing) }
    writing = -1
  }

  /// Pieces that are taken before all else is looked at: a program may write as fast as it is read.
  private static let atOnce = 64

  /// Takes what is there by now.
  ///
  /// - Returns: whether that is all.
  func read(upTo limit: Int) -> Bool {
    for _ in 0..<Self.atOnce where !isAtEnd && !isOver {
      let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { piece in
        let count = Glibc.read(reading, piece.baseAddress, piece.count)
        if count > 0 {
          let room = limit - bytes.count
          bytes += piece[..<min(count, room)]
          isOver = count > room
        }
        return count
      }
      if count == 0 { isAtEnd = true }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return true }
    }
    return isAtEnd || isOver
  }
}
