// What a run needs of this machine: the supervisor, devices, Python and its client.

import Foundation

enum MachineChecks {
  static func all() async throws -> [Check] {
    [supervisor, try await devices(), try await python()]
  }

  /// It must lie beside this program, wherever that is moved.
  private static var supervisor: Check {
    do {
      let beside = URL(fileURLWithPath: try DetachedServer.executable()).deletingLastPathComponent()
      let path = beside.appendingPathComponent("martlet-supervisor").path
      guard access(path, X_OK) == 0 else {
        return Check(
          "supervisor", .error, "\(path) is not there or cannot be run.",
          hint: "Copy martlet-supervisor beside martlet: without it nothing can be run.")
      }
      return Check("supervisor", .ok, path)
    } catch {
      return Check("supervisor", .error, (error as? Failure)?.message ?? String(describing: error))
    }
  }

  private static func devices() async throws -> Check {
    let query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    guard let answer = try await ShortCommand.run(query) else {
      return Check("devices", .ok, "No nvidia-smi: this machine has no NVIDIA GPU, or no driver.")
    }
    guard answer.status == 0 else {
      return Check(
        "devices", .warning, "nvidia-smi failed: \(answer.lastLine)", hint: "Check the NVIDIA driver.")
    }
    let names = answer.output.split(separator: "\n").map(String.init)
    guard !names.isEmpty else { return Check("devices", .ok, "No GPU.") }
    return Check(
      "devices", .ok,
      "\(Words.count(Int64(names.count), "GPU")) (\(Set(names).sorted().joined(separator: ", "))); martlet up --devices \(names.count) shares them out."
    )
  }

  private static func python() async throws -> Check {
    let program = "import sys; print(sys.version.split()[0]); import martlet; print(martlet.__version__)"
    guard let answer = try await ShortCommand.run(["python3", "-c", program]) else {
      return Check(
        "python", .warning, "There is no python3 on the PATH.",
        hint: "Only runs that log from Python need it.")
    }
    let lines = answer.output.split(separator: "\n").map(String.init)
    if answer.status == 0, lines.count >= 2 {
      return Check("python", .ok, "Python \(lines[0]) with martlet \(lines[1]).")
    }
    guard let version = lines.first else {
      return Check("python", .warning, "python3 failed: \(answer.lastLine)")
    }
    return Check(
      "python", .warning, "Python \(version) cannot import martlet: \(answer.lastLine)",
      hint: "pip install ./clients/python installs the client.")
  }
}

/// A helper program that answers in a moment.
enum ShortCommand {
  struct Answer {
    var status: Int32
    var output: String
    var errors: String

    /// The last line it wrote to standard error, which is what Python and most programs fail with.
    var lastLine: String { errors.split(separator: "\n").last.map(String.init) ?? "status \(status)" }
  }

  private static let patience: TimeInterval = 20

  /// Runs a program of the PATH to its end.
  ///
  /// - Returns: nil when there is no such program.
  static func run(_ command: [String]) async throws -> Answer? {
    guard let program = locate(command[0]) else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = Array(command.dropFirst())
    process.environment = CallerEnvironment.current
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let pid = process.processIdentifier
    let timer = Task {
      try await Task.sleep(for: .seconds(patience))
      kill(pid, SIGKILL)
    }
    // Both pipes are read at once: a program that fills one must not wait for the other.
    async let errorBytes = read(errors)
    let outputBytes = await read(output)
    let both = (outputBytes, await errorBytes)
    process.waitUntilExit()
    timer.cancel()
    return Answer(
      status: process.terminationStatus, output: String(decoding: both.0, as: UTF8.self),
      errors: String(decoding: both.1, as: UTF8.self))
  }

  private static func read(_ pipe: Pipe) async -> Data {
    let handle = pipe.fileHandleForReading
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: handle.readDataToEndOfFile()) }
    }
  }

  private static func locate(_ name: String) -> String? {
    let folders = (CallerEnvironment.current["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}
