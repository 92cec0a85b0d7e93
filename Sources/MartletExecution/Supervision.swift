// Supervisors started, watched, and asked to stop.

import CMartletSpawn
import Foundation
import Glibc
import Logging
package import MartletModel

/// All that a supervisor must be told to run one attempt.
package struct AttemptLaunch: Sendable {
  package enum StopSignal: String, Sendable {
    case term = "TERM"
    case usr1 = "USR1"
  }

  package var directory: AttemptDirectory
  package var command: [String]
  package var workdir: String
  package var environment: [String: String]
  /// Seconds; nil: no limit.
  package var timeout: Double?
  /// Seconds between asking to leave and SIGKILL.
  package var grace: Double
  package var stopSignal: StopSignal
  /// Its limits beside its time, and what keeps them.
  package var confined: Confined

  package init(
    directory: AttemptDirectory, command: [String], workdir: String, environment: [String: String],
    timeout: Double?, grace: Double, stopSignal: StopSignal, confined: Confined = Confined()
  ) {
    self.directory = directory
    self.command = command
    self.workdir = workdir
    self.environment = environment
    self.timeout = timeout
    self.grace = grace
    self.stopSignal = stopSignal
    self.confined = confined
  }
}

/// What a watched attempt did.
package enum AttemptNews: Sendable {
  /// Its command runs.
  case running(pid: Int32)
  case over(AttemptCondition)
  /// The supervisor could not be started, or its directory not be read.
  case failed(Problem)
}

/// Starts supervisors and watches them, each on a thread of its own.
package struct Supervision: Sendable {
  /// Path of `martlet-supervisor`.
  package let executable: String

  package init(executable: String) { self.executable = executable }

  /// `martlet-supervisor` beside this executable, unless `MARTLET_SUPERVISOR` names another.
  ///
  /// - Throws: `Problem.unavailable` when it is not there.
  package static func beside(executable: String, environment: [String: String]) throws(Problem) -> Supervision
  {
    let path =
      environment["MARTLET_SUPERVISOR"]
      ?? URL(fileURLWithPath: executable).resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("martlet-supervisor").path
    guard access(path, X_OK) == 0 else {
      throw Problem(
        .unavailable, "The program that runs attempts, \(path), is missing.",
        hint: "Keep martlet-supervisor beside martlet, wherever that is moved.")
    }
    return Supervision(executable: path)
  }

  /// Starts a supervisor and tells what becomes of it: `running` at most once, then `over` or `failed`.
  package func launch(_ launch: AttemptLaunch, tell: @escaping @Sendable (AttemptNews) -> Void) {
    Self.thread("launch") {
      do throws(Problem) {
        let pid = try start(launch)
        watchChild(pid, launch.directory, tell: tell)
      } catch {
        return tell(.failed(error))
      }
      tell(.over(Self.insist { () throws(Problem) in try launch.directory.condition() }))
    }
  }

  /// Asks until there is an answer: an attempt that cannot be looked at, for want of descriptors say, may well live.
  private static func insist<T>(_ ask: () throws(Problem) -> T) -> T {
    while true {
      if let answer = try? ask() { return answer }
      sleep(1)
    }
  }

  /// Watches an attempt whose supervisor was started by a server before this one: tells the same.
  package func adopt(_ directory: AttemptDirectory, tell: @escaping @Sendable (AttemptNews) -> Void) {
    Self.thread("adopt") {
      // Its supervisor may be about to start the command.
      while directory.attemptFile?.command == nil,
        case .alive = Self.insist({ () throws(Problem) in try directory.condition() })
      {
        usleep(50_000)
      }
      if let command = directory.attemptFile?.command { tell(.running(pid: command.pid)) }
      tell(.over(Self.insist { () throws(Problem) in try directory.waitUntilReleased() }))
    }
  }

  /// Asks a supervisor to stop its command: it asks with SIGUSR1 where the program handles that, else with SIGTERM, and
  /// gives it one grace.
  ///
  /// When the supervisor is gone nothing happens: a `LostWatch` sees to such an attempt.
  ///
  /// - Parameter patience: seconds after which the command's process group is killed, when it shall not have that grace.
  package func stop(_ directory: AttemptDirectory, patience: Double? = nil) {
    Self.thread("stop") {
      // A supervisor that was just started may not have written its record yet.
      for _ in 0..<200 {
        if let attempt = directory.attemptFile {
          guard attempt.bootID == currentBootID() else { return }
          guard attempt.supervisor.signal(SIGTERM), let patience else { return }
          let deadline = Date(timeIntervalSinceNow: patience)
          while attempt.supervisor.exists, Date() < deadline { usleep(20_000) }
          if attempt.supervisor.exists { directory.attemptFile?.command?.signalGroup(SIGKILL) }
          return
        }
        usleep(20_000)
      }
    }
  }

  static func thread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = "martlet.\(name)"
    thread.stackSize = 256 << 10
    thread.start()
  }

  private func arguments(_ launch: AttemptLaunch) -> [String] {
    var arguments = ["-g", String(launch.grace), "-C", launch.workdir]
    if let timeout = launch.timeout { arguments += ["-t", String(timeout)] }
    if launch.stopSignal == .usr1 { arguments.append("-u") }
    return arguments + launch.confined.options + [launch.directory.path, "--"] + launch.command
  }

  /// The supervisor leaves our session by itself.
  private func start(_ launch: AttemptLaunch) throws(Problem) -> pid_t {
    let process = ChildProcess(executable, arguments(launch), environment: launch.environment)
    return try process.start(
      output: Self.ours(STDOUT_FILENO), errors: Self.ours(STDERR_FILENO), standing: .ours,
      resetsSignals: false)
  }

  /// A descriptor of this process's, if it is open.
  private static func ours(_ descriptor: Int32) -> Int32? {
    fcntl(descriptor, F_GETFD) >= 0 ? descriptor : nil
  }

  /// Milliseconds: an attempt that ends sooner is told of once, by its end.
  private static let moment: Int32 = 30

  /// Returns when our child has ended and is reaped.
  private func watchChild(
    _ pid: pid_t, _ directory: AttemptDirectory, tell: @escaping @Sendable (AttemptNews) -> Void
  ) {
    // Nobody but us reaps it, so its number is still its own. Before Linux 5.3 there is no handle: it is asked for again
    // and again.
    let handle = martlet_process_handle(pid)
    defer { if handle >= 0 { close(handle) } }
    var status: Int32 = 0
    var hasTold = false
    while !hasTold {
      var end = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
      poll(&end, 1, Self.moment)
      if waitpid(pid, &status, WNOHANG) == pid { return }
      guard let command = directory.attemptFile?.command else { continue }
      tell(.running(pid: command.pid))
      hasTold = true
    }
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }
}
