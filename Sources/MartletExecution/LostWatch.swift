// The thread that carries out what a `LostAttempt` decides.

import Foundation
import Glibc
import MartletModel
import Synchronization

/// Watches an attempt whose supervisor was killed.
package final class LostWatch: Sendable {
  private struct Inbox {
    /// Seconds that those who asked for its end allow; nil: its grace.
    var stops: [Double?] = []
    var isLeft = false
  }

  private let directory: AttemptDirectory
  private let command: ProcessIdentity
  private let tree: ProcessTree
  /// What its program says of SIGUSR1 counts: whoever submitted it said nothing.
  private let saysItself: Bool
  private let inbox = Mutex(Inbox())

  /// Seconds between two looks.
  private static let tick = 0.1
  /// Looks in a row that find nothing before nothing is there, the last of them certain: a process that hands on to a child
  /// and ends may escape one.
  private static let emptyLooks = 3
  /// As many where none is certain, since on a busy machine something ends all the time.
  private static let doubtfulLooks = 10

  /// Watches until nothing of the attempt is left, then tells why its command ended.
  ///
  /// - Parameters:
  ///   - timeout: its time limit, from its command's start on; nil: none.
  ///   - grace: what it was launched with, as `stopSignal` and `timeout`.
  package init(
    _ directory: AttemptDirectory, command: ProcessIdentity, timeout: Double?, grace: Double,
    stopSignal: AttemptLaunch.StopSignal, tell: @escaping @Sendable (LostAttempt.Cause) -> Void
  ) {
    self.directory = directory
    self.command = command
    tree = ProcessTree(command: command, spool: directory.spool, groups: directory.confined.groups)
    saysItself = stopSignal == .term
    let began = Double(command.start) / Double(sysconf(Int32(_SC_CLK_TCK)))
    let attempt = LostAttempt(
      grace: grace, asksByUserSignal: stopSignal == .usr1, deadline: timeout.map { began + $0 })
    Supervision.thread("lost") { [self] in
      if let cause = watch(attempt) { tell(cause) }
    }
  }

  /// Asks for its end.
  package func stop(patience: Double?) { inbox.withLock { $0.stops.append(patience) } }

  /// Watches no more: the next server does.
  package func leave() { inbox.withLock { $0.isLeft = true } }

  /// Nil: it was left.
  private func watch(_ attempt: LostAttempt) -> LostAttempt.Cause? {
    var attempt = attempt
    var empty = 0
    while true {
      let (stops, isLeft) = inbox.withLock { inbox in
        defer { inbox.stops = [] }
        return (inbox.stops, inbox.isLeft)
      }
      if isLeft { return nil }
      let now = Self.uptime
      var actions: [LostAttempt.Action] = []
      if saysItself { attempt.asksByUserSignal = directory.wantsUserSignal }
      for patience in stops { actions += attempt.handle(.stop(patience: patience), at: now) }
      if command.exists {
        actions += attempt.handle(.seen(command: true, leftovers: 0), at: now)
      } else {
        let look = tree.look()
        empty = look.processes.isEmpty ? empty + 1 : 0
        if empty == 0 || empty >= (look.isCertain ? Self.emptyLooks : Self.doubtfulLooks) {
          actions += attempt.handle(.seen(command: false, leftovers: look.processes.count), at: now)
        }
      }
      for action in actions {
        if case .end(let cause) = action {
          GroupMembers.remove(tree.groups)
          return cause
        }
        carryOut(action)
      }
      usleep(UInt32(Self.tick * 1e6))
    }
  }

  private func carryOut(_ action: LostAttempt.Action) {
    switch action {
    case .askCommand:
      command.signal(SIGUSR1)
      command.signalGroup(SIGCONT)
    case .askGroup:
      // It may have left the group that it was given.
      if !command.signalGroup(SIGTERM) { command.signal(SIGTERM) }
      command.signalGroup(SIGCONT)
      command.signal(SIGCONT)
    case .askTree:
      for process in tree.look().processes where process.signal(SIGTERM) { process.signal(SIGCONT) }
    case .killTree:
      GroupMembers.kill(tree.groups)
      for process in tree.look().processes { process.signal(SIGKILL) }
    case .end: break
    }
  }

  /// Seconds since boot, as those from which a process's start is counted.
  private static var uptime: Double {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
