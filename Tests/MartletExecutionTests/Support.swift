// What the tests of execution share: scratch directories, the real supervisor, waiting with a deadline.

import Foundation
import Glibc
import MartletExecution
import MartletModel
import Synchronization
import Testing

/// A test's own error: something it leans on did not work.
struct Unexpected: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

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
  try FileManager.default.removeItem(at: url)
  return try result.get()
}

/// Waits until something is true.
func eventually(within seconds: Double = 20, _ condition: () throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while .now < deadline {
    if try condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return try condition()
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

/// What a watching thread told, in its order.
final class NewsLog: Sendable {
  private let log = Mutex<[AttemptNews]>([])

  var all: [AttemptNews] { log.withLock { $0 } }

  func take(_ news: AttemptNews) { log.withLock { $0.append(news) } }

  /// The process that runs.
  func running(within seconds: Double = 20) async throws -> Int32 {
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
  func over(within seconds: Double = 30) async throws -> AttemptCondition {
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
  func exit(within seconds: Double = 30) async throws -> ExitFile {
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
    stopSignal: AttemptLaunch.StopSignal = .term, workdir: String? = nil, environment: [String: String] = [:]
  ) throws {
    directory = AttemptDirectory(path: "\(scratch)/\(name)")
    try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: true)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let news = news
    try supervision.get().launch(
      AttemptLaunch(
        directory: directory, command: command, workdir: workdir ?? scratch,
        environment: ["PATH": path].merging(environment) { $1 }, timeout: timeout, grace: grace,
        stopSignal: stopSignal)
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
  func prints(_ text: String, within seconds: Double = 20) async throws -> Bool {
    let path = "\(directory.path)/stdout.log"
    return try await eventually(within: seconds) { try exists(path) && self.text().contains(text) }
  }
}

/// A process of nobody's that sleeps. Only SIGKILL ends it for certain: threads of Dispatch block signals, and
/// what they start inherits that.
func bystander(_ program: String) throws -> Process {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = ["300"]
  process.standardOutput = FileHandle.nullDevice
  process.standardError = FileHandle.nullDevice
  try process.run()
  return process
}

/// Whether a process is there and no zombie.
func isAlive(_ pid: Int32) -> Bool {
  guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
    let end = text.lastIndex(of: ")")
  else { return false }
  return !text[text.index(after: end)...].hasPrefix(" Z")
}

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

func write(_ text: String, to path: String) throws {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}
