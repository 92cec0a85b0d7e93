// Running the real `martlet` and seeing what it answered.

import Foundation
import Synchronization

/// What a process left behind.
struct Outcome: CustomStringConvertible {
  var status: Int32
  var output: String
  var errors: String

  var lines: [String] { output.split(separator: "\n").map(String.init) }
  var description: String { "status \(status)\n--- output\n\(output)--- errors\n\(errors)" }
}

/// The program under test: `MARTLET_BIN`, or what this package built.
enum Binary {
  static let path: String = {
    if let named = ProcessInfo.processInfo.environment["MARTLET_BIN"], !named.isEmpty { return named }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return root.appendingPathComponent(".build/debug/martlet").path
  }()

  /// Nothing of whoever runs the tests but what programs need to be found.
  static func environment(_ variables: [String: String]) -> [String: String] {
    var environment = ["LC_ALL": "C.UTF-8"]
    environment["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    environment.merge(variables) { $1 }
    return environment
  }
}

/// A process that is still running.
final class Running: Sendable {
  private let process: Process
  private let output: Collector
  private let errors: Collector

  /// Starts `program` with these arguments.
  init(
    _ arguments: [String], environment: [String: String], directory: URL, program: String = Binary.path,
    input: Pipe? = nil
  ) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = Binary.environment(environment)
    process.currentDirectoryURL = directory
    process.standardInput = input ?? FileHandle.nullDevice
    output = Collector()
    errors = Collector()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    self.process = process
  }

  var outputSoFar: String { output.text }
  var errorsSoFar: String { errors.text }
  var pid: Int32 { process.processIdentifier }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits for its end; one that takes too long is killed, and its status says so.
  func outcome(within seconds: Double = 60) async throws -> Outcome {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while process.isRunning, .now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: try await output.rest(), errors: try await errors.rest())
  }
}

/// Gathers what comes out of a pipe while it comes.
private final class Collector: Sendable {
  private struct State {
    var bytes = Data()
    var hasEnded = false
  }

  let pipe = Pipe()
  private let state = Mutex(State())

  init() {
    pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in self?.take(handle) }
  }

  private func take(_ handle: FileHandle) {
    let piece = handle.availableData
    if piece.isEmpty { handle.readabilityHandler = nil }
    state.withLock { state in
      state.bytes.append(piece)
      state.hasEnded = piece.isEmpty
    }
  }

  var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

  /// All of it: a process that has ended may leave some in the pipe, and a child of its own may hold it open.
  func rest() async throws -> String {
    let deadline = ContinuousClock.now + .seconds(2)
    while !state.withLock({ $0.hasEnded }), .now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    return text
  }
}

/// Waits until something is true.
func eventually(within seconds: Double = 20, _ condition: () async throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while .now < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(20))
  }
  return try await condition()
}

/// A test's own error: something it leans on did not work.
struct Unexpected: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
