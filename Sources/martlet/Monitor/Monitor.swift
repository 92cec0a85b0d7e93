// `martlet monitor`: watches this machine for a while and says what holds runs up.

import ArgumentParser
import Foundation
import Glibc
import MartletExecution
import MartletModel

struct Monitor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch this machine and the runs on it, and say what holds them up.",
    discussion: """
      Processors, memory, GPUs and the processes of the runs of the server on this
      machine. Below 50 % something is underused, above 90 % it is a bottleneck; at
      the end stands how many runs at a time would suit the machine. Ctrl-C ends it
      early, with what was seen.

      Examples:
        martlet monitor
        martlet monitor --duration 10m --interval 5
        martlet monitor --duration 20 --json
      """)

  @Option(name: .long, help: ArgumentHelp("How long: seconds, or 90s, 10m, 1h.", valueName: "span"))
  var duration = "60"

  @Option(name: .long, help: ArgumentHelp("From one look to the next: 0.1 s to 1 h.", valueName: "span"))
  var interval = "2"

  @Flag(name: .long, help: "The same as --format json.")
  var json = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard let every = Words.seconds(interval), (0.1...3_600).contains(every) else {
      throw ValidationError("--interval must be 0.1 s to 1 h, not '\(interval)'.")
    }
    guard let all = Words.seconds(duration), (0.1...604_800).contains(all) else {
      throw ValidationError("--duration must be 0.1 s to 7 days, not '\(duration)'.")
    }
  }

  func run() async throws {
    guard let every = Words.seconds(interval), let all = Words.seconds(duration) else { return }
    let place = try connection.place()
    guard place.isOnThisMachine else {
      throw Failure(
        .usage, "It watches the machine that it runs on, and the server is on another.",
        hint: "Run it there.")
    }
    let interrupts = Interrupts()
    let watcher = MachineWatcher(environment: CallerEnvironment.current)
    var progress = ProgressLine()
    var seen: [(names: [String], round: MonitorRound)] = []
    let start = ContinuousClock.now
    var next = start
    while true {
      let runs = await Self.running(place)
      seen.append((runs.map(\.name), await watcher.round(runs.map(\.directory))))
      let passed = (ContinuousClock.now - start) / .seconds(1)
      if passed >= all || interrupts.arePending { break }
      progress.draw("\(Words.duration(passed)) of \(Words.duration(all))\(Self.now(seen.last?.round))")
      next = max(next + .seconds(every), .now)
      await interrupts.pause(for: min(next, start + .seconds(all)) - ContinuousClock.now)
    }
    progress.clear()
    let report = UsageReport(
      seen, seconds: (ContinuousClock.now - start) / .seconds(1),
      cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let format = json ? OutputFormat.json : self.format.format
    switch format {
    case .table: try Self.print(report)
    case .json: try Terminal.say(String(decoding: report.json.bytes(indented: true), as: UTF8.self))
    case .csv:
      try Listing(items: report.json["processes"]?.array ?? [], fields: Self.fields, whenEmpty: "").print(
        .csv)
    }
  }

  private static func now(_ round: MonitorRound?) -> String {
    guard let round, let cpu = round.cpu else { return "" }
    let busy = round.gpus.map { "GPU \($0.index) \(Int($0.utilization ?? 0)) %" }.joined(separator: ", ")
    return
      ": processors \(Int(cpu)) %, \(Words.bytes(Int64(round.memoryUsed))) used\(busy.isEmpty ? "" : ", \(busy)")"
  }

  /// Runs that the server executes now, and where their records lie; none when no server answers.
  private static func running(_ place: ServerPlace) async -> [(name: String, directory: AttemptDirectory)] {
    guard let client = try? place.client(),
      let answer = try? await client.send(.get, "/runs", query: [("q", "state:running"), ("limit", "500")])
    else { return [] }
    return (answer["items"]?.array ?? []).compactMap { run in
      guard let id = run["id"]?.string, let name = run["name"]?.string,
        let attempt = run["attempt"]?.int, attempt > 0
      else { return nil }
      return (name, AttemptDirectory(path: "\(place.data.path)/runs/\(id)/attempt-\(attempt)"))
    }
  }

  private static let fields = [
    Field("pid", "PID", .number), Field("run", "Run"), Field("name", "Program"),
    Field("cpu", "CPU %", .number), Field("memory", "Memory", .bytes),
  ]

  private static let shownProcesses = 20

  private static func print(_ report: UsageReport) throws(OutputClosed) {
    func share(_ value: Double) -> String { "\(Int(value.rounded())) %" }
    var lines: [(String, String)] = []
    if let cpu = report.cpu {
      lines.append(
        ("processors", "\(share(cpu.mean)) of \(report.cores) in the mean, \(share(cpu.most)) at most"))
    }
    if let memory = report.memory, report.memoryAll > 0 {
      lines.append(
        (
          "memory",
          "\(Words.bytes(Int64(memory.mean))) of \(Words.bytes(Int64(report.memoryAll))) in the mean (\(share(100 * memory.mean / report.memoryAll))), \(Words.bytes(Int64(memory.most))) at most"
        ))
    }
    for gpu in report.gpus {
      var words: [String] = []
      if let busy = gpu.utilization {
        words.append("\(share(busy.mean)) in the mean, \(share(busy.most)) at most")
      }
      if let used = gpu.memory {
        words.append(
          "\(Words.bytes(Int64(used.most)))\(gpu.all.map { " of \(Words.bytes(Int64($0)))" } ?? "") at most")
      }
      if let temperature = gpu.temperature { words.append("\(Int(temperature)) °C") }
      if let power = gpu.power { words.append("\(Int(power)) W") }
      lines.append(("GPU \(gpu.index)", words.joined(separator: "; ")))
    }
    lines.append(("runs", report.runs == 0 ? "none at work" : "\(report.runs) at work at a time, at most"))
    let width = lines.map { Table.width(of: $0.0) }.max() ?? 0
    for (title, text) in lines {
      let blank = String(repeating: " ", count: width - Table.width(of: title) + 2)
      try Terminal.say(Style.faint.paint(title, if: Terminal.usesColor) + blank + text)
    }
    let processes = report.json["processes"]?.array ?? []
    if !processes.isEmpty {
      try Terminal.say("")
      try Listing(items: Array(processes.prefix(shownProcesses)), fields: fields, whenEmpty: "").print(.table)
      let rest = processes.count - shownProcesses
      if rest > 0 { try Terminal.say("and \(rest) more; --json has them all") }
    }
    try Terminal.say("")
    for sentence in report.advice { try Terminal.say(sentence) }
    let (runs, why) = report.recommendation
    try Terminal.say("Recommended: \(Words.count(Int64(runs), "run")) at a time; \(why).")
  }
}

/// A monitor on a thread of its own, where it may wait.
private final class MachineWatcher: @unchecked Sendable {
  private let queue = DispatchQueue(label: "martlet.monitor")
  private let start = ContinuousClock.now
  /// Used on the queue alone.
  private let monitor: HostMonitor

  init(environment: [String: String]) { monitor = HostMonitor(gpus: GPUs(environment: environment)) }

  func round(_ attempts: [AttemptDirectory]) async -> MonitorRound {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let now = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        continuation.resume(returning: monitor.round(attempts, at: now))
      }
    }
  }
}
