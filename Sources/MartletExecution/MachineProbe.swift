// What this machine is: asked of the kernel and of the driver of its devices, once.

import Foundation
import Glibc
package import MartletModel
import OrderedCollections

/// What is the same for all that runs on this machine, as members of a `RunEnvironment`.
package struct Machine: Sendable {
  package var os: String?
  package var kernel: String
  package var cpu: JSONObject
  /// Bytes.
  package var memory: Int64?
  /// Bytes that the control group of this process may use; nil: as many as there are.
  package var cgroupMemory: Int64?
  package var gpus: [JSONValue]

  /// Asks; blocks for at most some seconds where a driver is slow.
  ///
  /// - Parameter root: the directory that stands for `/`: tests have their own.
  package static func probe(
    root: String = "", environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Machine {
    var names = utsname()
    uname(&names)
    // A file that this machine does not have, or does not show, says nothing: so does its member then.
    func text(_ place: String) -> String {
      (try? String(contentsOfFile: root + place, encoding: .utf8)) ?? ""
    }
    return Machine(
      os: os(text("/etc/os-release")), kernel: "\(string(names.sysname)) \(string(names.release))",
      cpu: cpu(text("/proc/cpuinfo")), memory: memory(text("/proc/meminfo")),
      cgroupMemory: ControlGroups.probe(root: root).memoryLimit, gpus: gpus(environment))
  }

  private static func string<T>(_ characters: T) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// os-release(5): shell assignments.
  static func os(_ text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
      return line.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
    }
    return nil
  }

  /// proc_cpuinfo(5): a block for each thread. Cores are told apart by socket and number; virtual machines may tell none.
  static func cpu(_ text: String) -> JSONObject {
    var model: String?
    var threads: Int64 = 0
    var cores = Set<String>()
    var socket = ""
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "processor": threads += 1
      case "model name": model = model ?? parts[1]
      case "physical id": socket = parts[1]
      case "core id": cores.insert("\(socket)/\(parts[1])")
      default: break
      }
    }
    var cpu: JSONObject = [:]
    if let model { cpu["model"] = .string(model) }
    if !cores.isEmpty { cpu["cores"] = .int(Int64(cores.count)) }
    if threads > 0 { cpu["threads"] = .int(threads) }
    return cpu
  }

  static func memory(_ text: String) -> Int64? {
    for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 * 1024 }
    }
    return nil
  }

  private static func gpus(_ environment: [String: String]) -> [JSONValue] {
    guard let program = ChildProcess.locate("nvidia-smi", environment: environment) else { return [] }
    let process = ChildProcess(
      program, ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"],
      environment: environment)
    // A driver that is broken, or a program that does not start, shows no GPU.
    guard let answer = try? process.run(within: .seconds(10), limit: 1 << 20), answer.isSuccess else {
      return []
    }
    return gpus(String(decoding: answer.output, as: UTF8.self))
  }

  /// `NVIDIA A100-SXM4-80GB, 81920, 550.54.15`: memory is in MiB.
  static func gpus(_ text: String) -> [JSONValue] {
    text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 3 else { return nil }
      var gpu: JSONObject = ["name": .string(parts[0])]
      if let megabytes = Int64(parts[1]) { gpu["memory_bytes"] = .int(megabytes << 20) }
      gpu["driver"] = .string(parts[2])
      return .object(gpu)
    }
  }
}

/// The Python that a command runs under, where it is one.
package enum InterpreterProbe {
  /// `{version, executable}`; nil: the command is no Python program, or it is not found. Blocks; at most some seconds.
  package static func python(
    of command: [String], in directory: String, environment: [String: String]
  ) -> JSONObject? {
    guard let path = interpreter(of: command, in: directory, environment: environment) else { return nil }
    let process = ChildProcess(path, ["-V"], environment: environment, directory: directory)
    // An interpreter that does not say its version may yet run the program: where it lies is known.
    guard let answer = try? process.run(within: .seconds(3), limit: 4_096), answer.isSuccess else {
      return ["executable": .string(path)]
    }
    // Python 2 writes it to standard error.
    let text = String(decoding: answer.output.isEmpty ? answer.errors : answer.output, as: UTF8.self)
    var python: JSONObject = [:]
    if text.hasPrefix("Python ") {
      python["version"] = .string(
        String(text.dropFirst("Python ".count).trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    python["executable"] = .string(path)
    return python
  }

  /// `python3 x.py`, `env A=1 python3 x.py`, and programs whose first line names a Python.
  private static func interpreter(
    of command: [String], in directory: String, environment: [String: String]
  ) -> String? {
    var words = command[...]
    if let first = words.first, name(of: first) == "env" {
      words = words.dropFirst().drop { $0.contains("=") || $0.hasPrefix("-") }
    }
    guard let program = words.first,
      let path = ChildProcess.locate(place(program, in: directory), environment: environment)
    else { return nil }
    if name(of: path).hasPrefix("python") { return path }
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    // It was only read: closing cannot lose anything. What cannot be read is no script.
    defer { try? file.close() }
    let head = (try? file.read(upToCount: 256)) ?? Data()
    guard head.starts(with: Array("#!".utf8)) else { return nil }
    let line = String(decoding: head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let parts = line.split(separator: " ").map(String.init)
    let named =
      parts.first.map { name(of: $0) } == "env" ? parts.dropFirst().first { !$0.hasPrefix("-") } : parts.first
    guard let named, name(of: named).hasPrefix("python") else { return nil }
    return ChildProcess.locate(named, environment: environment)
  }

  private static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

  private static func place(_ program: String, in directory: String) -> String {
    program.contains("/") && !program.hasPrefix("/") ? "\(directory)/\(program)" : program
  }
}
