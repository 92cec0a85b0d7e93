// Drivers of GPUs as they answer, fail, hang and begin anew; control groups as kernels show them.

import Dispatch
import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct GPUTests {
  @Test func aProgramThatFailsIsLeftAlone() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? removeScratch(folder) }
    let smi = "\(folder)/nvidia-smi"
    try makeProgram(
      at: smi, script: "#!/bin/sh\necho asked >> '\(folder)/asked'\necho 'no devices' >&2\nexit 9\n")
    let source = NvidiaSMI(program: smi, environment: ["PATH": "/usr/bin:/bin"])
    func asked() throws -> String { try String(contentsOfFile: "\(folder)/asked", encoding: .utf8) }
    #expect(source.read(at: 100).isEmpty)
    #expect(source.read(at: 159).isEmpty)
    #expect(try asked() == "asked\n")
    #expect(source.read(at: 160).isEmpty)
    #expect(try asked() == "asked\nasked\n")
    let missing = NvidiaSMI(program: "\(folder)/nothing", environment: [:])
    #expect(missing.read(at: 0).isEmpty)
  }

  @Test func whatNvidiaSMISays() {
    let readings = NvidiaSMI.readings(
      "0, 35, 1024, 81559, 61, 250.50\n1, [Not Supported], [N/A], 81559, 40, [N/A]\nFailed to initialize\n, 1, 2\n"
    )
    #expect(readings.map(\.index) == [0, 1])
    #expect(
      readings[0].values.map(\.name) == [
        "gpu.0/utilization", "gpu.0/memory", "gpu.0/memory_percent", "gpu.0/temperature", "gpu.0/power",
      ])
    #expect(readings[1].values == [SampledValue("gpu.1/temperature", 40)])
  }

  /// NVML as nvml.h declares it: one GPU, and a call that this driver does not have.
  private static let library = """
    #include <stdint.h>
    typedef struct device *device;
    typedef struct { unsigned gpu, memory; } utilization;
    typedef struct { unsigned long long total, free, used; } memory;
    int nvmlInit_v2(void) { return 0; }
    int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
    int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *out) {
      *out = (device)(uintptr_t)(index + 1);
      return index == 0 ? 0 : 15;
    }
    int nvmlDeviceGetUtilizationRates(device d, utilization *u) {
      *u = (utilization){35, 7};
      return d == (device)1 ? 0 : 2;
    }
    int nvmlDeviceGetMemoryInfo(device d, memory *m) {
      *m = (memory){4096, 3072, 1024};
      return 0;
    }
    int nvmlDeviceGetTemperature(device d, unsigned sensor, unsigned *t) {
      *t = 61;
      return sensor == 0 ? 0 : 2;
    }
    int nvmlDeviceGetPowerUsage(device d, unsigned *milliwatts) { return 3; }
    """

  /// Another, whose calls are noted in a file, and whose devices are those of the file `state`.
  private static func library(in folder: String) -> String {
    """
    #include <stdint.h>
    #include <stdio.h>
    typedef struct device *device;
    static void note(const char *what) {
      FILE *file = fopen("\(folder)/calls", "a");
      fprintf(file, "%s ", what);
      fclose(file);
    }
    static int state(void) {
      FILE *file = fopen("\(folder)/state", "r");
      int number = 0;
      if (fscanf(file, "%d", &number) != 1) number = 0;
      fclose(file);
      return number;
    }
    static int begun;
    int nvmlInit_v2(void) { note("init"); begun = state(); return 0; }
    int nvmlShutdown(void) { note("shutdown"); return 0; }
    int nvmlDeviceGetCount_v2(unsigned *count) { *count = state() > 0; return 0; }
    int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *out) {
      *out = (device)(uintptr_t)(index + 1);
      return 0;
    }
    int nvmlDeviceGetTemperature(device d, unsigned sensor, unsigned *t) {
      *t = 61;
      return begun == state() ? 0 : 15;
    }
    __attribute__((destructor)) static void closed(void) { note("closed"); }
    """
  }

  private func build(_ source: String, at path: String) throws {
    try write(source, to: "\(path).c")
    let environment = ProcessInfo.processInfo.environment
    let compiler = try #require(
      ChildProcess.locate("cc", environment: environment)
        ?? ChildProcess.locate("clang", environment: environment))
    let built = try ChildProcess(
      compiler, ["-shared", "-fPIC", "\(path).c", "-o", path], environment: environment
    ).run(within: .seconds(120))
    #expect(built.isSuccess, "\(String(decoding: built.errors, as: UTF8.self))")
  }

  /// A driver that was loaded anew knows the devices of the old one no more.
  @Test func aDriverThatWasResetIsAskedAnew() async throws {
    try await withScratch { folder in
      try build(Self.library(in: folder), at: "\(folder)/libnvml.so")
      func calls() throws -> String { try String(contentsOfFile: "\(folder)/calls", encoding: .utf8) }
      try write("1", to: "\(folder)/state")
      do {
        let source = try #require(NVML(library: "\(folder)/libnvml.so"))
        let reading = [GPUReading(index: 0, temperature: 61)]
        #expect(source.read(at: 0) == reading)
        try write("2", to: "\(folder)/state")
        #expect(source.read(at: 5).isEmpty)
        #expect(source.read(at: 64).isEmpty)
        #expect(try calls() == "init ")
        #expect(source.read(at: 65) == reading)
        #expect(try calls() == "init shutdown init ")
        #expect(source.read(at: 70) == reading)
        #expect(try calls() == "init shutdown init ")
      }
      #expect(try calls() == "init shutdown init shutdown closed ")
    }
  }

  /// The library is not closed with the driver's files open.
  @Test func aLibraryWithoutGPUsIsGivenBackBeforeItIsClosed() async throws {
    try await withScratch { folder in
      try build(Self.library(in: folder), at: "\(folder)/libnvml.so")
      try write("0", to: "\(folder)/state")
      #expect(NVML(library: "\(folder)/libnvml.so") == nil)
      #expect(try String(contentsOfFile: "\(folder)/calls", encoding: .utf8) == "init shutdown closed ")
    }
  }

  /// A driver that answers when it is let.
  private final class SlowSource: GPUSource, @unchecked Sendable {
    let name = "slow"
    let kind = FoundDevice.Kind.cuda
    let begun = DispatchSemaphore(value: 0)
    let gate = DispatchSemaphore(value: 0)

    func find() -> [FoundDevice] { [] }

    func read(at now: Double) -> [GPUReading] {
      begun.signal()
      gate.wait()
      return [GPUReading(index: 0, temperature: now)]
    }
  }

  @Test func aDriverThatHangsHoldsUpNobody() async throws {
    try await withScratch { folder in
      let source = SlowSource()
      let gpus = GPUs(patience: .milliseconds(20)) { return [source] }
      let sampler = HostSampler(paths: [folder], gpus: gpus)
      let command = ChildProcess("/bin/sleep", ["600"], environment: [:])
      let pid = try command.start(standing: .group)
      defer {
        kill(-pid, SIGKILL)
        reap(pid)
      }
      let attempt = SampledAttempt(directory: try recordedAttempt(pid, in: folder), devices: nil)
      func sample(_ now: Double) -> [SampledValue] { sampler.sample([attempt], at: now, longest: 60)[0] }
      for now in [1.0, 2.0, 3.0] {
        let values = sample(now)
        #expect(values["process/memory"] != nil)
        #expect(values["disk/used"] != nil)
        #expect(values["gpu.0/temperature"] == nil)
      }
      // It was asked once: what hangs is not asked again.
      #expect(source.begun.wait(timeout: .now() + 60) == .success)
      #expect(source.begun.wait(timeout: .now()) == .timedOut)
      #expect(gpus.isSilent)
      #expect(gpus.survey(at: 4).silence ?? 0 > 0)
      for _ in 0..<1_000 { source.gate.signal() }
      try await eventually("it is asked again") { sample(5)["gpu.0/temperature"] == 5 }
      #expect(gpus.survey(at: 6) == GPUSurvey(names: ["slow"], counts: [1]))
      #expect(sampler.silentMounts.isEmpty)
    }
  }

  private func files(_ files: [String: String], in folder: String) throws {
    for (name, text) in files {
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true
      )
      try write(text, to: path)
    }
  }

  @Test func controlGroupsOfBothVersions() async throws {
    try await withScratch { folder in
      #expect(
        ControlGroups.probe(root: folder)
          == ControlGroups(version: .none, hasMemory: false, isWritable: false))
      let two = "\(folder)/two"
      try files(
        [
          "proc/self/cgroup": "0::/user.slice/me\n",
          "proc/self/mountinfo":
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
          "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/user.slice/memory.max": "4096\n",
          "sys/fs/cgroup/user.slice/me/memory.max": "8192\n",
          "sys/fs/cgroup/user.slice/me/cgroup.controllers": "cpu memory pids\n",
          "sys/fs/cgroup/user.slice/me/cgroup.subtree_control": "\n",
        ], in: two)
      var groups = ControlGroups.probe(root: two)
      #expect(
        groups
          == ControlGroups(
            version: .two, hasMemory: true, isWritable: true, directory: "/sys/fs/cgroup/user.slice/me",
            memoryLimit: 4_096))
      try files(["sys/fs/cgroup/user.slice/me/cgroup.controllers": "cpu pids\n"], in: two)
      groups = ControlGroups.probe(root: two)
      #expect(groups.version == .two && !groups.hasMemory)

      // A container that sees a part of version 1's hierarchy, and version 2 without memory beside it.
      let one = "\(folder)/one"
      try files(
        [
          "proc/self/cgroup": "5:memory:/docker/abc/job\n1:name=systemd:/docker/abc\n0::/\n",
          "proc/self/mountinfo":
            "30 22 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n31 22 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
          "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
          "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "1048576\n",
          "sys/fs/cgroup/unified/cgroup.controllers": "\n",
        ], in: one)
      groups = ControlGroups.probe(root: one)
      #expect(
        groups
          == ControlGroups(
            version: .one, hasMemory: true, isWritable: true, directory: "/sys/fs/cgroup/memory/job",
            memoryLimit: 1_048_576))
      // This machine, whatever it has.
      let here = ControlGroups.probe()
      #expect(here.version == .none || here.directory != nil || !here.hasMemory)
    }
  }

  @Test func theLibraryOfNVIDIA() async throws {
    try await withScratch { folder in
      try build(Self.library, at: "\(folder)/libnvml.so")
      let source = try #require(NVML(library: "\(folder)/libnvml.so"))
      #expect(
        source.read(at: 0) == [
          GPUReading(index: 0, utilization: 35, usedBytes: 1_024, allBytes: 4_096, temperature: 61)
        ])
      #expect(NVML(library: "\(folder)/nothing.so") == nil)
    }
  }

  @Test func aCardOfAMD() async throws {
    try await withScratch { folder in
      let device = "\(folder)/class/drm/card1/device"
      try FileManager.default.createDirectory(
        atPath: "\(device)/hwmon/hwmon3", withIntermediateDirectories: true)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/class/drm/card1-DP-1", withIntermediateDirectories: true)
      for (name, text) in [
        ("gpu_busy_percent", "42\n"), ("mem_info_vram_used", "1000\n"), ("mem_info_vram_total", "4000\n"),
        ("hwmon/hwmon3/temp1_input", "55000\n"), ("hwmon/hwmon3/power1_average", "120500000\n"),
      ] { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(device)/\(name)")) }
      let source = try #require(AMDDriver(sys: folder))
      #expect(
        source.read(at: 0) == [
          GPUReading(
            index: 0, utilization: 42, usedBytes: 1_000, allBytes: 4_000, temperature: 55, power: 120.5)
        ])
      #expect(AMDDriver(sys: "\(folder)/class") == nil)
    }
  }
}
