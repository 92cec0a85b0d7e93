// What a machine has left, from files as the kernel writes them.

import Foundation
import MartletExecution
import MartletTestSupport
import Testing

@Suite struct MachineWatchTests {
  /// A directory that stands for `/`.
  private func root(_ body: (String, (String, String) throws -> Void) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "martlet-watch-\(UUID().uuidString)")
    defer { try? removeScratch(url.path) }
    try body(url.path) { path, text in
      let file = url.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  private let meminfo = "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 6291456 kB\n"

  @Test func `two looks tell how busy processors were, and what memory is left`() throws {
    try root { root, write in
      try write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n")
      try write("proc/meminfo", meminfo)
      try write("proc/loadavg", "3.00 2.00 1.00 2/345 678\n")
      var watch = MachineWatch(root: root, processors: 4)
      let first = watch.look()
      #expect(first == nil)
      try write("proc/stat", "cpu  130 0 100 870 0 0 0 0 0 0\n")
      let second = watch.look()
      let left = try #require(second)
      #expect(left.cpu == 0.3 && left.load == 0.75)
      #expect(left.memory == 8 << 30 && left.freeMemory == 6 << 30)
      // Nothing has passed since.
      let third = watch.look()
      #expect(third == nil)
    }
  }

  /// Files of a control group, by version.
  struct Files: Sendable {
    var group: String
    var mount: String
    var folder: String
    var limit: String
    var usage: String
    var cached: String
  }

  private static let two = Files(
    group: "0::/job\n", mount: "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    folder: "sys/fs/cgroup", limit: "memory.max", usage: "memory.current", cached: "inactive_file")
  private static let one = Files(
    group: "5:memory:/job\n",
    mount: "30 22 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
    folder: "sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
    cached: "total_inactive_file")

  @Test(arguments: [one, two])
  func `within a control group its limit is what there is`(files: Files) throws {
    let (folder, limit, usage, cached) = (files.folder, files.limit, files.usage, files.cached)
    try root { root, write in
      try write("proc/self/cgroup", files.group)
      try write("proc/self/mountinfo", files.mount)
      // Its own group has no limit.
      try write("\(folder)/job/\(limit)", "max\n")
      try write("\(folder)/job/\(usage)", "\(2 << 30)\n")
      try write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n")
      try write("proc/meminfo", meminfo)
      try write("\(folder)/\(limit)", "\(4 << 30)\n")
      try write("\(folder)/\(usage)", "\(3 << 30)\n")
      try write("\(folder)/memory.stat", "anon 5\n\(cached) \(1 << 30)\n")
      var watch = MachineWatch(root: root, processors: 4)
      _ = watch.look()
      try write("proc/stat", "cpu  100 0 100 900 0 0 0 0 0 0\n")
      let second = watch.look()
      let left = try #require(second)
      #expect(left.memory == 4 << 30 && left.freeMemory == 2 << 30)
      // One below it that leaves less is what counts.
      try write("\(folder)/job/\(limit)", "\(3 << 30)\n")
      #expect(
        ControlGroups.memoryBound(root: root) == ControlGroups.MemoryBound(limit: 3 << 30, room: 1 << 30))
      try write("\(folder)/job/\(limit)", "max\n")
      // More than the machine has is no limit.
      try write("\(folder)/\(limit)", "\(1 << 62)\n")
      try write("proc/stat", "cpu  100 0 100 950 0 0 0 0 0 0\n")
      let third = watch.look()
      #expect(third?.memory == 8 << 30)
    }
  }
}
