// `martlet probe`: the largest value of a parameter that memory allows.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct Probe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the largest batch size, or other value, that memory allows.",
    discussion: """
      Runs the command with the value in place of {NAME}: twice as much each time
      until a try ends for want of memory, then halfway back. A try ends for want of
      memory by its memory limit (--memory), by the kernel, or with what Python, CUDA
      and others say then; one that still runs after --seconds has worked. Each try is
      a run of the project, with the tag 'probe'.

      Examples:
        martlet probe --param batch_size --from 8 --max 4096 -- python train.py --batch-size {batch_size}
        martlet probe --param layers --gpus 1 --seconds 120 --margin 0.2 -- ./train.sh {layers}
      """)

  @Option(name: .long, help: ArgumentHelp("The parameter; {NAME} stands for its value.", valueName: "name"))
  var param: String

  @Option(name: .long, help: ArgumentHelp("The first value that is tried.", valueName: "n"))
  var from = 8

  @Option(name: .long, help: ArgumentHelp("The largest value that is tried.", valueName: "n"))
  var max = 4_096

  @Option(name: .long, help: ArgumentHelp("Only multiples of this are tried.", valueName: "n"))
  var multipleOf = 1

  @Option(
    name: .long, help: ArgumentHelp("A try that still runs after this time has worked.", valueName: "s"))
  var seconds = 60.0

  @Option(name: .long, help: ArgumentHelp("How near is near enough: 0.05 is 5 %.", valueName: "part"))
  var precision = 0.05

  @Option(
    name: .long, help: ArgumentHelp("How much less than the largest is recommended.", valueName: "part"))
  var margin = 0.1

  @Option(name: .long, help: "The project of the runs. (default: MARTLET_PROJECT, or default)")
  var project: String?

  @OptionGroup var resources: ResourceOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
  var command: [String] = []

  func validate() throws {
    guard !param.isEmpty, !param.contains("{"), !param.contains("}") else {
      throw ValidationError("--param '\(param)' is no name.")
    }
    guard command.first?.isEmpty == false else {
      throw ValidationError(
        "There is no command. It stands after --: martlet probe --param \(param) -- python train.py --\(param) {\(param)}"
      )
    }
    guard command.dropFirst().contains(where: { $0.contains("{\(param)}") }) else {
      let meant =
        command.contains { $0.contains("{") && $0.contains("}") } ? " (it has another in braces)" : ""
      throw ValidationError("The command has no {\(param)}\(meant): that is where the value stands.")
    }
    for (value, option) in [(from, "--from"), (self.max, "--max"), (multipleOf, "--multiple-of")] {
      guard (1...1_000_000_000).contains(value) else {
        throw ValidationError("\(option) must be 1 to 1000000000, not \(value).")
      }
    }
    guard from <= self.max, multipleOf <= self.max else {
      throw ValidationError("--max must not be less than --from and --multiple-of.")
    }
    guard seconds > 0 else { throw ValidationError("--seconds must be more than 0, not \(seconds).") }
    try check(seconds, of: "--seconds")
    for (part, option) in [(precision, "--precision"), (margin, "--margin")] where !(0..<1).contains(part) {
      throw ValidationError("\(option) must be 0 up to below 1, not \(part).")
    }
  }

  func run() async throws {
    let client = try await connection.clientStartingServer()
    let interrupts = Interrupts()
    var runner = ProbeRunner(try subject(), client: client, interrupts: interrupts)
    var search = ProbeSearch(first: from, largest: self.max, unit: multipleOf, precision: precision)
    var tries: [ProbeTry] = []
    while let value = search.next {
      let made = try await runner.make(value)
      tries.append(made)
      if format.format == .table { try Terminal.say(line(made)) }
      switch made.outcome {
      case .worked: search.tell(value, fits: true)
      case .outOfMemory: search.tell(value, fits: false)
      case .stopped:
        Terminal.complain("martlet: the try with \(param) \(value) was stopped, and the probe with it.")
        try conclude(search, tries)
        throw ExitStatus.interrupted.code
      case .failed:
        try conclude(search, tries)
        throw Failure(
          .failed,
          "With \(param) \(value) it failed, and not for want of memory: \(Terminal.plain(made.reason ?? "nobody knows why"))",
          hint: "martlet run logs \(made.run.id) --stream all\(client.place.suffix) shows what it said.")
      }
    }
    try conclude(search, tries)
    guard search.worked > 0 else {
      throw Failure(
        .failed, "Not even \(param) \(search.failed ?? from) fits into memory.",
        hint: "Give it more memory, or make the rest of it smaller.")
    }
  }

  private func subject() throws -> ProbeSubject {
    let inherited = CallerEnvironment.current["MARTLET_PROJECT"].flatMap { $0.isEmpty ? nil : $0 }
    let environment = CallerEnvironment.forRuns.sorted { $0.key < $1.key }
    var members: JSONObject = [
      "project": .string(project ?? inherited ?? "default"),
      "workdir": .string(FileManager.default.currentDirectoryPath),
      "environment": .object(
        JSONObject(uniqueKeysWithValues: environment.map { ($0.key, .string($0.value)) })),
    ]
    members.merge(try resources.members()) { $1 }
    // Short, and another for each probe.
    let stamp = String(Int(Date().timeIntervalSince1970), radix: 36)
    return ProbeSubject(
      param: param, command: command, members: members, seconds: seconds,
      group: "probe-\(param)-\(stamp)")
  }

  private func line(_ made: ProbeTry) -> String {
    let isColored = Terminal.usesColor
    let word =
      switch made.outcome {
      case .worked: Style.good.paint("worked", if: isColored)
      case .outOfMemory: Style.warning.paint("out of memory", if: isColored)
      case .failed: Style.bad.paint("failed", if: isColored)
      case .stopped: Style.warning.paint("stopped", if: isColored)
      }
    var words = ["\(param) \(made.value)", word]
    if let seconds = RunGroup.duration(made.run)?.double { words.append("in \(Words.duration(seconds))") }
    if let bytes = made.peakMemory { words.append("peak \(Words.bytes(bytes))") }
    if let bytes = made.peakDeviceMemory { words.append("on the device \(Words.bytes(bytes))") }
    if made.outcome != .worked, let reason = made.reason { words.append("— \(Terminal.plain(reason))") }
    return words.joined(separator: "  ")
  }

  private func conclude(_ search: ProbeSearch, _ tries: [ProbeTry]) throws {
    let best = tries.last { $0.outcome == .worked && $0.value == search.worked }
    let recommended = search.recommended(margin: margin)
    switch format.format {
    case .json:
      let answer: JSONObject = [
        "param": .string(param),
        "largest": search.worked > 0 ? .int(Int64(search.worked)) : .null,
        "smallest_failed": search.failed.map { .int(Int64($0)) } ?? .null,
        "recommended": recommended.map { .int(Int64($0)) } ?? .null,
        "peak_memory": best?.peakMemory.map(JSONValue.int) ?? .null,
        "peak_gpu_memory": best?.peakDeviceMemory.map(JSONValue.int) ?? .null,
        "tries": .array(tries.map(\.json)),
      ]
      try Terminal.say(String(decoding: JSONValue.object(answer).bytes(indented: true), as: UTF8.self))
    case .csv:
      let keys = [
        "value", "outcome", "run", "run_name", "duration_s", "peak_memory", "peak_gpu_memory", "reason",
      ]
      try Listing(items: tries.map(\.json), fields: keys.map { Field($0, nil) }, whenEmpty: "").print(.csv)
    case .table:
      guard let best, let recommended else { return }
      let bound = search.failed.map { "\($0) did not fit" } ?? "more was not asked for"
      try Terminal.say("\nLargest that worked  \(search.worked)  (\(bound))")
      if let bytes = best.peakMemory { try Terminal.say("Its peak memory      \(Words.bytes(bytes))") }
      if let bytes = best.peakDeviceMemory {
        try Terminal.say("On its device        \(Words.bytes(bytes))")
      }
      try Terminal.say(
        "Recommended          \(recommended)  (a margin of \(Words.number((margin * 100).rounded())) %)")
    }
  }
}
