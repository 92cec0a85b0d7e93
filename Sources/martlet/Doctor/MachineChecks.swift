// What a run needs of this machine: the supervisor, devices, Python and its client.

import Foundation
import MartletExecution
import MartletModel

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

  private static let patience: Duration = .seconds(20)

  /// Runs a program of the PATH to its end. One that takes too long is killed; its status is that of the signal.
  ///
  /// - Returns: nil when there is no such program.
  static func run(_ command: [String]) async throws -> Answer? {
    let environment = CallerEnvironment.current
    guard let program = ChildProcess.locate(command[0], environment: environment) else { return nil }
    let process = ChildProcess(program, Array(command.dropFirst()), environment: environment)
    let answer: ChildProcess.Answer
    do {
      answer = try await blocking { try process.run(within: patience, limit: 1 << 20) }
    } catch let problem as Problem {
      throw Failure(problem)
    }
    let status =
      switch answer.ending {
      case .exited(let code): code
      case .signalled(let signal): signal
      case .outOfTime, .tooLong: SIGKILL
      }
    return Answer(
      status: status, output: String(decoding: answer.output, as: UTF8.self),
      errors: String(decoding: answer.errors, as: UTF8.self))
  }
}
