// What a run needs of this machine: the supervisor, devices, Python and its client.

import Foundation
import MartletExecution
import MartletModel

enum MachineChecks {
  static func all() async throws -> [Check] {
    [supervisor, try await devices(), try await drivers(), controlGroups, try await python()]
  }

  /// Who can say what GPUs are doing, for system metrics: asked as a server asks.
  private static func drivers() async throws -> Check {
    let name = "gpu metrics"
    let survey = try await blocking { GPUs(environment: CallerEnvironment.current).survey(at: 0) }
    if let silence = survey.silence {
      return Check(
        name, .warning, "A GPU's driver has not answered for \(Int(silence)) s.",
        hint: "nvidia-smi hangs too, as a rule, until the driver or the machine is restarted.")
    }
    guard survey.sources.isEmpty else {
      let words = survey.sources.map { "\($0.name) tells of \($0.count)" }.joined(separator: ", ")
      let isSilent = survey.sources.contains { $0.count == 0 }
      return Check(
        name, isSilent ? .warning : .ok, "\(words).",
        hint: isSilent ? "Ask the driver itself: nvidia-smi must list the GPUs." : nil)
    }
    guard access("/dev/nvidiactl", F_OK) == 0 else {
      return Check(name, .ok, "None: neither NVML nor nvidia-smi nor amdgpu tells of a GPU.")
    }
    return Check(
      name, .warning, "/dev/nvidiactl is there, but neither NVML nor nvidia-smi tells of a GPU.",
      hint: "Runs are sampled without GPUs. In a container, give it the driver's utility capability.")
  }

  /// What a run uses is measured of its tree of processes, whatever groups there are; a bound on it can only be kept by the
  /// kernel where there are groups.
  private static var controlGroups: Check {
    let groups = ControlGroups.probe()
    let measured = "what runs use is measured of their processes"
    let bound = groups.memoryLimit.map { " This account's processes share \(Words.bytes($0))." } ?? ""
    let number = groups.version == .two ? "2" : "1"
    let words =
      switch (groups.version, groups.hasMemory, groups.isWritable) {
      case (.none, _, _): "None: \(measured), and only that could bound their memory."
      case (_, false, _):
        "Version \(number) without memory: \(measured), and only that could bound their memory."
      case (_, true, false):
        "Version \(number), where this account makes no groups: \(measured), and only that could bound their memory."
      case (_, true, true):
        "Version \(number), with memory, open to this account: the kernel can bound the memory of runs; \(measured)."
      }
    return Check("control groups", .ok, words + bound)
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
      "\(Words.count(Int64(names.count), "GPU")) (\(Set(names).sorted().joined(separator: ", "))); martlet up shares them out."
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
      case .outOfTime, .tooLong, .unknown: SIGKILL
      }
    return Answer(
      status: status, output: String(decoding: answer.output, as: UTF8.self),
      errors: String(decoding: answer.errors, as: UTF8.self))
  }
}
