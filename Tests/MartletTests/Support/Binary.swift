// Running the real `martlet` and seeing what it answered.

import Foundation
import MartletExecution
import MartletTestSupport
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
  let pid: Int32
  private let output: Collector
  private let errors: Collector
  /// What it ended with, once it was waited for.
  private let status = Mutex<Int32?>(nil)

  /// Starts `program` with these arguments.
  init(
    _ arguments: [String], environment: [String: String], directory: URL, program: String = Binary.path,
    input: Pipe? = nil
  ) throws {
    output = try Collector()
    errors = try Collector()
    pid = try ChildProcess(
      program, arguments, environment: Binary.environment(environment), directory: directory.path
    ).start(
      input: input?.fileHandleForReading.fileDescriptor, output: output.file.fileDescriptor,
      errors: errors.file.fileDescriptor, standing: .group)
    try input?.fileHandleForReading.close()
  }

  var outputSoFar: String { output.text }
  var errorsSoFar: String { errors.text }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits for its end; one that takes too long is killed, and its status says so.
  func outcome(within seconds: Double = 180) async throws -> Outcome {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ended() == nil, .now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    if ended() == nil { kill(pid, SIGKILL) }
    while ended() == nil { try await Task.sleep(for: .milliseconds(5)) }
    return Outcome(status: ended() ?? -1, output: output.text, errors: errors.text)
  }

  /// Its exit code, or the signal that ended it; nil: it goes on.
  private func ended() -> Int32? {
    status.withLock { status in
      var word: Int32 = 0
      if status == nil, waitpid(pid, &word, WNOHANG) == pid {
        status = word & 0x7F == 0 ? (word >> 8) & 0xFF : word & 0x7F
      }
      return status
    }
  }
}

/// Gathers what a program writes, in a file that has no name any more.
///
/// Not through a pipe with a readability handler: children that other tests start at the same moment inherit
/// its end, and closing a descriptor that somebody else still holds leaves Dispatch an event without an
/// owner.
private final class Collector: Sendable {
  let file: FileHandle

  init() throws {
    var template = Array("\(FileManager.default.temporaryDirectory.path)/martlet-output-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Unexpected("no file for a program's output: errno \(errno)") }
    unlink(template)
    // A program may hand its output on to others: every write goes to the end.
    _ = fcntl(descriptor, F_SETFL, O_APPEND)
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// All that was written so far.
  var text: String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = pread(file.fileDescriptor, &piece, piece.count, off_t(bytes.count))
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
  }
}
