// `martlet monitor`: what rounds mean in words, and the program on this machine.

import Foundation
import MartletExecution
import MartletModel
import MartletTestSupport
import Testing

@testable import martlet

@Suite("monitor")
struct MonitorTests {
  private let gib = 1_073_741_824.0

  private func round(
    cpu: Double?, memory: Double, gpus: [GPUReading] = [], _ processes: [ProcessUse] = []
  ) -> MonitorRound {
    MonitorRound(cpu: cpu, memoryUsed: memory * gib, memoryAll: 64 * gib, gpus: gpus, processes: processes)
  }

  private func process(_ pid: Int32, _ attempt: Int, _ cpu: Double?, _ gigabytes: Double) -> ProcessUse {
    ProcessUse(pid: pid, name: "python3", attempt: attempt, cpu: cpu, resident: gigabytes * gib)
  }

  private func report(_ rounds: [MonitorRound], cores: Int = 8) -> UsageReport {
    UsageReport(rounds.map { (names: ["a", "b"], round: $0) }, seconds: 4, cores: cores)
  }

  @Test("processors that are full are the bottleneck, and bound the number of runs")
  func processors() {
    let busy = [process(1, 0, 390, 1), process(2, 1, 390, 1)]
    let report = report([
      round(cpu: nil, memory: 4, busy.map { process($0.pid, $0.attempt, nil, 1) }),
      round(cpu: 98, memory: 4, busy),
    ])
    #expect(report.advice.first?.hasPrefix("The processors are a bottleneck (98 % used)") == true)
    #expect(report.advice.last?.hasPrefix("Memory is underused (6 % used)") == true)
    #expect(report.recommendation.runs == 1)
    #expect(report.recommendation.why.hasPrefix("the processors end first"))
    #expect(report.processes.map(\.run) == ["a", "b"])
    #expect(report.processes[0].cpu?.mean == 390)
  }

  @Test("memory ends first where each run takes much of it")
  func memory() {
    let runs = [process(1, 0, 50, 10), process(2, 1, 50, 10)]
    let report = report([round(cpu: nil, memory: 24, runs), round(cpu: 14, memory: 24, runs)])
    #expect(report.advice.first?.hasPrefix("The processors are underused") == true)
    // Nine tenths of 64, less 4 of others', are 53.6: five runs of 10.
    #expect(report.recommendation.runs == 5)
    #expect(report.recommendation.why.hasPrefix("memory ends first"))
  }

  @Test("GPUs bound runs by what is busy of them, and an idle one is underused")
  func gpus() {
    let gpus = [
      GPUReading(
        index: 0, utilization: 95, usedBytes: 20 * gib, allBytes: 24 * gib, temperature: 70, power: 300),
      GPUReading(index: 1, utilization: 0, usedBytes: 0, allBytes: 24 * gib),
    ]
    let run = [process(1, 0, 100, 2)]
    let report = report([
      round(cpu: nil, memory: 6, gpus: gpus, run), round(cpu: 14, memory: 6, gpus: gpus, run),
    ])
    #expect(report.advice.contains { $0.hasPrefix("GPU 0 is a bottleneck (95 % used)") })
    #expect(report.advice.contains { $0.hasPrefix("GPU 1 is underused (0 % used)") })
    #expect(report.recommendation.runs == 2)
    #expect(report.recommendation.why.hasPrefix("GPUs end first"))
    #expect(report.json["gpus"]?.array?.first?["power"]?.double == 300)
  }

  @Test("with nothing at work it says where to begin")
  func idle() {
    #expect(report([round(cpu: nil, memory: 6), round(cpu: 25, memory: 6)]).recommendation.runs == 6)
    let gpus = [GPUReading(index: 0, utilization: 80), GPUReading(index: 1, utilization: 0)]
    #expect(report([round(cpu: 0, memory: 6, gpus: gpus)]).recommendation.runs == 1)
  }

  @Test("it measures this machine, the runs of the server and the GPUs that a driver tells of")
  func real() async throws {
    try await Workplace.withServer { place in
      let smi = place.root.path + "/nvidia-smi"
      try makeProgram(at: smi, script: "#!/bin/sh\necho '0, 35, 1024, 4096, 61, 250.5'\n")
      let begun = try await place.martlet(
        "run", "--detach", "--name", "busy", "--", "sh", "-c", "while [ ! -e go ]; do :; done")
      #expect(begun.status == 0, "\(begun)")
      #expect(try await eventually { try await place.json("run", "show", "busy")["state"] == "running" })
      let environment = ["MARTLET_NVIDIA_SMI": smi]
      let outcome = try await place.martlet(
        ["monitor", "--duration", "1", "--interval", "0.2", "--json"], environment: environment)
      #expect(outcome.status == 0, "\(outcome)")
      let report = try JSONValue.parse(outcome.output)
      #expect(report["rounds"]?.int ?? 0 >= 2)
      #expect(report["gpus"]?.array?.first?["utilization"]?["mean"]?.double == 35)
      #expect(report["memory"]?["total"]?.int ?? 0 > 0)
      #expect(
        report["processes"]?.array?.contains { $0["run"] == "busy" && $0["pid"]?.int != nil } == true,
        "\(outcome)")
      #expect(report["recommended"]?["runs"]?.int ?? 0 >= 1)
      let words = try await place.martlet(
        ["monitor", "--duration", "1", "--interval", "1"], environment: environment)
      #expect(words.output.contains("GPU 0 is underused (35 % used)"), "\(words)")
      #expect(words.output.contains("Recommended: "))
      try place.write("go", "")
    }
  }

  @Test("spans that make no sense are refused, and so is the machine of somebody else")
  func faults() async throws {
    try await Workplace.with { place in
      for options in [
        ["--duration", "0"], ["--duration", "8d"], ["--interval", "0.01"], ["--interval", "x"],
      ] {
        #expect(try await place.martlet(["monitor"] + options).status == 64)
      }
      let remote = try await place.martlet("monitor", "--url", "http://192.0.2.1:1")
      #expect(remote.status == 64, "\(remote)")
    }
  }
}
