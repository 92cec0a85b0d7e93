// What a machine, its GPUs and an attempt's processes use: read from real processes and from files as kernels write them.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

extension [SampledValue] {
  subscript(_ name: String) -> Double? { first { $0.name == name }?.value }
}

@Suite struct SamplingTests {
  @Test func ratesOfTheMachineAreOfTheTimeInBetween() {
    var before = MachineReading()
    before.take(stat: "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    before.take(meminfo: "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n")
    before.take(
      diskstats: "   8       0 sda 1 2 100\n   8 1 sda1 1 2 9999 4 5 6 9999 8 1 1\n", disks: ["sda"])
    #expect((before.busyTicks, before.allTicks) == (200, 1_000))
    // Too short a line says nothing.
    #expect(before.readBytes == 0)
    var after = before
    after.take(stat: "cpu  150 0 150 750 150 0 0 0 0 0\n")
    after.take(
      diskstats: "   8       0 sda 1 2 100 4 5 6 200 8 9 10 11\n   7 0 loop0 1 2 9 4 5 6 9 8 9 1\n",
      disks: ["sda"])
    after.take(
      interfaces: """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
            lo: 5000 1 0 0 0 0 0 0 5000 1
          eth0: 3000 1 0 0 0 0 0 0 1000 1
        veth12: 7000 1 0 0 0 0 0 0 7000 1
        """)
    let values = after.values(since: before, seconds: 2)
    #expect(values["cpu"] == 50)
    #expect(values["memory"] == 75)
    #expect(values["memory/used"] == 768_000)
    #expect(values["disk/read"] == 25_600)
    #expect(values["disk/write"] == 51_200)
    #expect(values["network/received"] == 1_500)
    #expect(values["network/sent"] == 500)
    // Nothing is known from before, or counters began anew: no rates.
    #expect(after.values(since: nil, seconds: 0).map(\.name) == ["memory", "memory/used"])
    #expect(before.values(since: after, seconds: 2)["cpu"] == nil)
    #expect(before.values(since: after, seconds: 2)["network/sent"] == nil)
  }

  @Test func thisMachineIsRead() {
    let reading = MachineReading.read(disks: MachineReading.wholeDisks())
    #expect(reading.allTicks >= reading.busyTicks && reading.busyTicks > 0)
    #expect(reading.memoryBytes >= reading.availableBytes && reading.availableBytes > 0)
    let root = FileSystems.mounts(of: ["/"], table: ProcText.read("/proc/self/mountinfo") ?? "")
    #expect(root == ["/"])
    let used = FileSystems.used(of: "/")
    #expect(used?.name == "disk/used")
    let percent = used?.value ?? -1
    #expect(percent >= 0 && percent <= 100)
  }

  @Test func aMountIsTheLongestThatLeadsThere() {
    let table = """
      22 1 8:1 / / rw - ext4 /dev/sda1 rw
      23 22 8:2 / /home rw - ext4 /dev/sda2 rw
      24 22 8:3 / /home/a\\040b rw - ext4 /dev/sda3 rw
      """
    #expect(
      FileSystems.mounts(of: ["/", "/homework", "/home/x", "/home", "/home/a b/c"], table: table)
        == ["/", "/home", "/home/a b"])
  }

  private func process(
    _ pid: Int32, parent: Int32, group: Int32, ticks: UInt64 = 10, children: UInt64 = 0, start: UInt64 = 5
  ) throws -> ProcessCounters {
    let text =
      "\(pid) (a ) b) S \(parent) \(group) 1 0 -1 0 0 0 0 0 \(ticks) 0 \(children) 0 20 0 2 0 \(start) 1000 3 0"
    return try #require(ProcessCounters(text, pid: pid))
  }

  @Test func aTreeIsAllThatDescendsFromItsSupervisor() throws {
    let all = [
      try process(100, parent: 1, group: 100, ticks: 1_000, children: 7),
      try process(101, parent: 100, group: 101), try process(102, parent: 101, group: 101, children: 4),
      // An orphan that left its group, and a stranger.
      try process(103, parent: 100, group: 103), try process(200, parent: 1, group: 200),
    ]
    let supervisor = ProcessIdentity(pid: 100, start: 5)
    let command = ProcessIdentity(pid: 101, start: 5)
    let usage = TreeUsage.of(supervisor: supervisor, command: command, among: all)
    #expect(usage == TreeUsage(ticks: 7 + 10 + 14 + 10, threads: 6, residentPages: 9, processes: 3))
    // Without its supervisor: the command, its group and what descends from them.
    let orphaned = TreeUsage.of(
      supervisor: ProcessIdentity(pid: 100, start: 6), command: command, among: Array(all.dropFirst()))
    #expect(orphaned.processes == 2)
    // Numbers that have passed to others.
    let gone = TreeUsage.of(
      supervisor: ProcessIdentity(pid: 100, start: 6), command: ProcessIdentity(pid: 200, start: 6),
      among: all)
    #expect(gone.processes == 0)
    #expect(gone.values(since: nil, seconds: 0).isEmpty)
    var later = usage
    later.ticks += UInt64(sysconf(Int32(_SC_CLK_TCK)))
    #expect(later.values(since: usage, seconds: 2)["process/cpu"] == 50)
    #expect(usage.values(since: later, seconds: 2)["process/cpu"] == nil)
    #expect(usage.values(since: nil, seconds: 0)["process/threads"] == 6)
  }

  @Test func realProcessesAreSampledUntilTheyAreKilled() async throws {
    try await withScratch { folder in
      let command = ChildProcess(
        "/bin/sh", ["-c", "sleep 600 & while :; do :; done"], environment: ["PATH": "/usr/bin:/bin"])
      let pid = try command.start(standing: .group)
      defer {
        kill(-pid, SIGKILL)
        reap(pid)
      }
      let smi = "\(folder)/nvidia-smi"
      try makeProgram(
        at: smi,
        script: "#!/bin/sh\necho '0, 35, 1024, 4096, 61, 250.5'\necho '1, [N/A], 0, 4096, 40, [N/A]'\n")
      let gpus = GPUs(environment: ["MARTLET_NVIDIA_SMI": smi])
      let sampler = HostSampler(paths: [folder], gpus: gpus)
      let survey = gpus.survey(at: 0)
      #expect(survey.sources.map(\.name) == ["nvidia-smi"])
      #expect(survey.sources.map(\.count) == [2])
      #expect(survey.silence == nil)
      let directory = try recordedAttempt(pid, in: folder)
      let holder = SampledAttempt(directory: directory, devices: [1])
      let anyone = SampledAttempt(directory: directory, devices: nil)
      func sample(at now: Double) -> [[SampledValue]] {
        sampler.sample([holder, anyone], at: now, longest: 60)
      }
      try await eventually("its child runs") { sample(at: 1)[0]["process/threads"] ?? 0 >= 2 }
      let first = sample(at: 10)[0]
      #expect(first["process/memory"] ?? 0 > 0)
      #expect(first["disk/used"] != nil)
      #expect(first["gpu.1/memory"] == 0)
      #expect(first["gpu.1/memory_percent"] == 0)
      #expect(first["gpu.1/temperature"] == 40)
      #expect(first["gpu.1/power"] == nil)
      #expect(first["gpu.0/power"] == nil)
      var now = 10.0
      try await eventually("its work is seen") {
        now += 1
        let values = sample(at: now)
        #expect(values[1]["gpu.0/power"] == 250.5)
        #expect(values[1]["gpu.0/memory"] == 1_073_741_824)
        #expect(values[1]["gpu.0/memory_percent"] == 25)
        return values[0]["process/cpu"] ?? 0 > 0 && values[0]["cpu"] != nil
      }
      // What was seen an hour ago tells no rate.
      #expect(sample(at: now + 3_600)[0]["process/cpu"] == nil)
      kill(-pid, SIGKILL)
      try await eventually("it is gone") { sample(at: now + 3_601).allSatisfy(\.isEmpty) }
    }
  }
}

/// A command as a supervisor records it, and a directory with its record.
func recordedAttempt(_ pid: Int32, in folder: String) throws -> AttemptDirectory {
  let stat = try #require(ProcessStat.read(pid))
  let own = try #require(ProcessStat.read(getpid()))
  let record: JSONValue = [
    "boot_id": .string(currentBootID()), "started_us": 1,
    // Nobody's number: the command has no supervisor any more.
    "supervisor": ["pid": .int(Int64(getpid())), "start": .int(Int64(own.start) + 1)],
    "command": ["pid": .int(Int64(pid)), "start": .int(Int64(stat.start))],
  ]
  try Data(record.bytes()).write(to: URL(fileURLWithPath: "\(folder)/attempt.json"))
  return AttemptDirectory(path: folder)
}
