// What the tests of execution share: scratch directories, the real supervisor, waiting with a deadline.

import Foundation
import Glibc
import MartletExecution
import MartletModel
import MartletTestSupport
import Synchronization
import Testing

/// Runs `body` in a fresh directory that is removed afterwards.
func withScratch<T>(_ body: (String) async throws -> T) async throws -> T {
  let name = "martlet-execution-\(UUID().uuidString.prefix(8))"
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  let result: Result<T, any Error>
  do {
    result = .success(try await body(url.resolvingSymlinksInPath().path))
  } catch {
    result = .failure(error)
  }
  try removeScratch(url.path)
  return try result.get()
}

/// What a watching thread told, in its order.
final class NewsLog: Sendable {
  private let log = Mutex<[AttemptNews]>([])

  var all: [AttemptNews] { log.withLock { $0 } }

  func take(_ news: AttemptNews) { log.withLock { $0.append(news) } }

  /// The process that runs.
  func running(within seconds: Double = 60) async throws -> Int32 {
    var found: Int32?
    guard
      try await eventually(
        within: seconds,
        {
          for case .running(let pid) in all { found = pid }
          return found != nil
        }), let found
    else { throw Unexpected("nothing runs: \(all)") }
    return found
  }

  /// What it came to.
  func over(within seconds: Double = 60) async throws -> AttemptCondition {
    var found: AttemptCondition?
    guard
      try await eventually(
        within: seconds,
        {
          for case .over(let condition) in all { found = condition }
          return found != nil
        }), let found
    else { throw Unexpected("it is not over: \(all)") }
    return found
  }

  /// Its exit record.
  func exit(within seconds: Double = 60) async throws -> ExitFile {
    guard case .ended(let file) = try await over(within: seconds) else {
      throw Unexpected("no exit record: \(all)")
    }
    return file
  }
}

/// The real supervisor, which this package built beside the tests, unless `MARTLET_SUPERVISOR` names another.
let supervision: Result<Supervision, Problem> = Result { () throws(Problem) in
  try Supervision.beside(executable: "/proc/self/exe", environment: ProcessInfo.processInfo.environment)
}

/// One attempt in a directory of its own.
struct Launched: Sendable {
  let directory: AttemptDirectory
  let news = NewsLog()

  /// Starts `command` under a real supervisor.
  init(
    _ command: [String], in scratch: String, name: String = "attempt-1", timeout: Double? = nil,
    grace: Double = 5,
    stopSignal: AttemptLaunch.StopSignal = .term, workdir: String? = nil, environment: [String: String] = [:],
    confined: Confined = Confined()
  ) throws {
    directory = AttemptDirectory(path: "\(scratch)/\(name)")
    try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: true)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let news = news
    try supervision.get().launch(
      AttemptLaunch(
        directory: directory, command: command, workdir: workdir ?? scratch,
        environment: ["PATH": path].merging(environment) { $1 }, timeout: timeout, grace: grace,
        stopSignal: stopSignal, confined: confined)
    ) { news.take($0) }
  }

  /// Starts a shell script.
  init(
    script: String, in scratch: String, name: String = "attempt-1", timeout: Double? = nil, grace: Double = 5,
    stopSignal: AttemptLaunch.StopSignal = .term
  ) throws {
    try self.init(
      ["sh", "-c", script], in: scratch, name: name, timeout: timeout, grace: grace, stopSignal: stopSignal)
  }

  func text(_ stream: LogStream = .stdout) throws -> String {
    try String(contentsOfFile: "\(directory.path)/\(stream.rawValue).log", encoding: .utf8)
  }

  /// Waits until the command has printed `text`.
  func prints(_ text: String, within seconds: Double = 60) async throws -> Bool {
    let path = "\(directory.path)/stdout.log"
    return try await eventually(within: seconds) { try exists(path) && self.text().contains(text) }
  }
}

/// A process of nobody's that sleeps; whoever asks for it kills it and waits for it.
func bystander(_ program: String) throws -> Int32 {
  try ChildProcess(program, ["300"], environment: [:]).start(standing: .group)
}

/// Waits for a child's end.
func reap(_ pid: Int32) {
  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0, errno == EINTR {}
}

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

func write(_ text: String, to path: String) throws {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}
