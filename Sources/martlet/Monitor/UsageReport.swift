// What was seen of a machine over a while, what holds it up, and how many runs at a time would suit it.

import Foundation
import MartletExecution
import MartletModel
import OrderedCollections

/// Pure: rounds go in, numbers and sentences come out.
struct UsageReport: Sendable {
  /// Over all rounds.
  struct Extent: Sendable, Hashable {
    var mean: Double
    var most: Double

    init?(_ values: [Double]) {
      guard let most = values.max() else { return nil }
      mean = values.reduce(0, +) / Double(values.count)
      self.most = most
    }
  }

  struct GPU: Sendable {
    var index: Int
    /// Percent.
    var utilization: Extent?
    /// Bytes.
    var memory: Extent?
    var all: Double?
    var temperature: Double?
    var power: Double?
  }

  struct Process: Sendable {
    var pid: Int32
    var name: String
    /// The run's name.
    var run: String
    /// Percent of one processor.
    var cpu: Extent?
    /// Bytes.
    var memory: Extent
  }

  var seconds: Double
  var rounds: Int
  var cores: Int
  /// Percent of all processors.
  var cpu: Extent?
  /// Bytes.
  var memory: Extent?
  var memoryAll: Double
  var gpus: [GPU]
  /// The largest first.
  var processes: [Process]
  /// The most that were at work at a time.
  var runs: Int
  /// Percent of one processor that all runs used together, and bytes.
  var runsCPU: Double
  var runsMemory: Double

  /// Below this percentage a resource is underused, and above `full` it is a bottleneck.
  static let low = 50.0
  static let full = 90.0

  /// - Parameters:
  ///   - rounds: names of runs with what was seen of them: a process's `attempt` is an index into the names.
  init(_ seen: [(names: [String], round: MonitorRound)], seconds: Double, cores: Int) {
    self.seconds = seconds
    self.cores = max(1, cores)
    let all = seen.map(\.round)
    rounds = all.count
    cpu = Extent(all.compactMap(\.cpu))
    memory = Extent(all.map(\.memoryUsed))
    memoryAll = all.last?.memoryAll ?? 0
    let readings = all.flatMap(\.gpus)
    gpus = Set(readings.map(\.index)).sorted().map { index in
      let own = readings.filter { $0.index == index }
      return GPU(
        index: index, utilization: Extent(own.compactMap(\.utilization)),
        memory: Extent(own.compactMap(\.usedBytes)), all: own.compactMap(\.allBytes).last,
        temperature: own.compactMap(\.temperature).max(), power: own.compactMap(\.power).max())
    }
    var uses: OrderedDictionary<String, [(run: String, use: ProcessUse)]> = [:]
    for (names, round) in seen {
      for use in round.processes {
        let run = names.indices.contains(use.attempt) ? names[use.attempt] : ""
        uses["\(use.pid) \(run)", default: []].append((run, use))
      }
    }
    processes = uses.values.compactMap { own in
      guard let last = own.last, let memory = Extent(own.map(\.use.resident)) else { return nil }
      return Process(
        pid: last.use.pid, name: last.use.name, run: last.run, cpu: Extent(own.compactMap(\.use.cpu)),
        memory: memory)
    }.sorted { ($0.cpu?.mean ?? 0, $0.memory.most) > ($1.cpu?.mean ?? 0, $1.memory.most) }
    runs = all.map { Set($0.processes.map(\.attempt)).count }.max() ?? 0
    runsCPU = Extent(all.dropFirst().map { $0.processes.reduce(0) { $0 + ($1.cpu ?? 0) } })?.mean ?? 0
    runsMemory = all.map { $0.processes.reduce(0) { $0 + $1.resident } }.max() ?? 0
  }

  // MARK: - Advice

  /// What holds the machine up, and what lies idle, in sentences.
  var advice: [String] {
    var words: [String] = []
    if let cpu {
      words.append(
        Self.sentence(
          "The processors", cpu.mean, are: "are", full: "more runs at a time would only slow each other down",
          low: "more runs at a time would fit, as far as they are concerned"))
    }
    if let memory, memoryAll > 0 {
      words.append(
        Self.sentence(
          "Memory", 100 * memory.most / memoryAll, are: "is",
          full: "another run may be ended for want of it; give runs a limit, or run fewer at a time",
          low: "larger batches or more runs at a time would fit"))
    }
    for gpu in gpus {
      if let busy = gpu.utilization?.mean {
        words.append(
          Self.sentence(
            "GPU \(gpu.index)", busy, are: "is", full: "more runs at a time need more GPUs",
            low: "a larger batch, or runs that share it (martlet up --slots 2), would use more of it"))
      }
      if let used = gpu.memory?.most, let all = gpu.all, all > 0, 100 * used / all > Self.full {
        words.append(
          "The memory of GPU \(gpu.index) is a bottleneck (\(Self.percent(100 * used / all)) used): nothing more fits."
        )
      }
    }
    return words
  }

  private static func percent(_ value: Double) -> String { "\(Int(value.rounded())) %" }

  private static func sentence(
    _ what: String, _ value: Double, are: String, full: String, low: String
  ) -> String {
    let share = "(\(percent(value)) used)"
    if value > Self.full { return "\(what) \(are) a bottleneck \(share): \(full)." }
    if value < Self.low { return "\(what) \(are) underused \(share): \(low)." }
    return "\(what) \(are) well used \(share)."
  }

  /// How many runs at a time would use the machine to nine tenths, and why not more.
  var recommendation: (runs: Int, why: String) {
    let others = max(0, (cpu?.mean ?? 0) * Double(cores) - runsCPU)
    guard runs > 0 else { return beginning }
    var bounds: [(runs: Double, why: String)] = []
    let each = runsCPU / Double(runs)
    if each >= 1 {
      bounds.append(
        (
          (Self.full * Double(cores) - others) / each,
          "the processors end first: each run kept \(Self.percent(each)) of one busy"
        ))
    }
    let memoryEach = runsMemory / Double(runs)
    if memoryEach > 0, memoryAll > 0 {
      let rest = max(0, (memory?.most ?? 0) - runsMemory)
      bounds.append(
        (
          (Self.full / 100 * memoryAll - rest) / memoryEach,
          "memory ends first: each run took \(Words.bytes(Int64(memoryEach)))"
        ))
    }
    let busy = gpus.filter { ($0.utilization?.mean ?? 0) >= 5 }
    if !busy.isEmpty {
      let shares = busy.map { gpu in
        max(gpu.utilization?.mean ?? 0, 100 * (gpu.memory?.most ?? 0) / max(gpu.all ?? .infinity, 1))
      }
      let share = shares.reduce(0, +) / Double(shares.count)
      let perGPU = Double(runs) / Double(busy.count)
      bounds.append(
        (
          Double(gpus.count) * perGPU * max(1, Self.full / share),
          "GPUs end first: those at work were used to \(Self.percent(share))"
        ))
    }
    guard let least = bounds.min(by: { $0.runs < $1.runs }) else {
      return (runs, "the runs used too little to tell more: they wait for something else")
    }
    return (max(1, Int(min(least.runs, 4_096))), least.why)
  }

  /// Where nothing was at work.
  private var beginning: (runs: Int, why: String) {
    let idle = gpus.filter { ($0.utilization?.mean ?? 0) < Self.low }
    if !gpus.isEmpty {
      return (max(1, idle.count), "no run was at work: one for each idle GPU is where to begin")
    }
    let free = Int((Double(cores) * (1 - (cpu?.mean ?? 0) / 100)).rounded())
    return (max(1, free), "no run was at work: one for each idle processor is where to begin")
  }

  // MARK: - JSON

  var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { .double(($0 * 10).rounded() / 10) } ?? .null }
    func whole(_ value: Double?) -> JSONValue { value.map { .int(Int64($0)) } ?? .null }
    let recommendation = recommendation
    return [
      "seconds": number(seconds), "rounds": .int(Int64(rounds)),
      "cpu": ["cores": .int(Int64(cores)), "mean": number(cpu?.mean), "max": number(cpu?.most)],
      "memory": ["total": whole(memoryAll), "mean": whole(memory?.mean), "max": whole(memory?.most)],
      "gpus": .array(
        gpus.map { gpu -> JSONValue in
          [
            "index": .int(Int64(gpu.index)),
            "utilization": ["mean": number(gpu.utilization?.mean), "max": number(gpu.utilization?.most)],
            "memory": [
              "total": whole(gpu.all), "mean": whole(gpu.memory?.mean), "max": whole(gpu.memory?.most),
            ],
            "temperature": number(gpu.temperature), "power": number(gpu.power),
          ]
        }),
      "runs": .int(Int64(runs)),
      "processes": .array(
        processes.map { process -> JSONValue in
          [
            "pid": .int(Int64(process.pid)), "name": .string(process.name), "run": .string(process.run),
            "cpu": number(process.cpu?.mean), "memory": whole(process.memory.most),
          ]
        }),
      "advice": JSONValue(advice),
      "recommended": ["runs": .int(Int64(recommendation.runs)), "why": .string(recommendation.why)],
    ]
  }
}
