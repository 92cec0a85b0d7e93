// Starting a program with nothing of this process's but what it was given.

import CMartletSpawn
import Foundation
import Glibc
package import MartletModel

/// A program with all that it is started with.
///
/// Not Foundation's `Process`: that looks for open descriptors in one read of `/proc/self/fd` and runs past its buffer
/// when there are more than some 1,350 of them, and a server's connections are that many.
package struct ChildProcess: Sendable {
  /// What it belongs to.
  package enum Standing: Sendable {
    /// The process group of this one.
    case ours
    /// A group of its own: a signal to it reaches what it started as well.
    case group
    /// A session of its own: no terminal's Ctrl-C or hang-up reaches it.
    case session
  }

  /// The file to run.
  package var executable: String
  /// Its arguments, without the name it is called by.
  package var arguments: [String]
  package var environment: [String: String]
  /// Where it runs; nil: where this process does.
  package var directory: String?

  package init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String], directory: String? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// The file that `name` means to whoever has this environment: `PATH` is searched where there is no slash in it.
  ///
  /// - Returns: nil when there is none that may be run.
  package static func locate(_ name: String, environment: [String: String]) -> String? {
    if name.contains("/") { return isProgram(name) ? name : nil }
    return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
      .map { "\($0)/\(name)" }.first(where: isProgram)
  }

  private static func isProgram(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return access(path, X_OK) == 0 && FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }

  /// Starts it; whoever calls this reaps it (`waitpid`). It begins with no signal blocked.
  ///
  /// - Parameters:
  ///   - input, output, errors: descriptors of this process that become its first three; nil: `/dev/null`.
  ///   - resetsSignals: false: a signal that this process ignores is ignored by it as well.
  /// - Throws: `Problem.unavailable` when it cannot be started: it is missing, or no program.
  package func start(
    input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil, standing: Standing,
    resetsSignals: Bool = true
  ) throws(Problem) -> Int32 {
    var spawn = martlet_spawn()
    spawn.descriptors = (input ?? -1, output ?? -1, errors ?? -1)
    spawn.standing =
      switch standing {
      case .ours: MARTLET_SPAWN_OURS
      case .group: MARTLET_SPAWN_GROUP
      case .session: MARTLET_SPAWN_SESSION
      }
    spawn.resets_signals = resetsSignals ? 1 : 0
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var pid: Int32 = 0
    let failed = Self.withCStrings([executable] + arguments) { argv in
      Self.withCStrings(variables) { envp in
        Self.withCStrings([directory].compactMap(\.self)) { place in
          spawn.executable = UnsafePointer(argv[0])
          (spawn.arguments, spawn.environment) = (UnsafePointer(argv), UnsafePointer(envp))
          spawn.directory = UnsafePointer(place[0])
          return martlet_start(&spawn, &pid)
        }
      }
    }
    guard failed == 0 else {
      throw Problem(
        .unavailable, "\(executable) could not be started: \(String(cString: strerror(failed))).",
        hint: failed == E2BIG ? "The environment or the command line is too long." : nil)
    }
    return pid
  }

  /// Hands on strings as C wants them: an array of pointers that ends with a null one.
  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let start = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, text) in strings.enumerated() { start[index] = strdup(text) }
    start[strings.count] = nil
    defer {
      for index in strings.indices { free(start[index]) }
      start.deallocate()
    }
    return body(start)
  }
}
