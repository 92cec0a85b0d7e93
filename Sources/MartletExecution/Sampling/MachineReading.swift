// What /proc says of the whole machine at one moment, and what two such moments mean.

import Foundation
import Glibc

/// Counters of this machine (proc_stat(5), proc_meminfo(5), proc_diskstats(5), proc_pid_net(5)).
struct MachineReading: Sendable, Hashable {
  /// Clock ticks of all processors since boot.
  var busyTicks: UInt64 = 0
  var allTicks: UInt64 = 0
  var memoryBytes: UInt64 = 0
  var availableBytes: UInt64 = 0
  /// Of whole disks, bytes since boot.
  var readBytes: UInt64 = 0
  var writtenBytes: UInt64 = 0
  /// Of all network interfaces but the loopback and those of containers, bytes since boot.
  var sentBytes: UInt64 = 0
  var receivedBytes: UInt64 = 0

  /// - Parameters:
  ///   - proc: where procfs is mounted.
  ///   - disks: names of whole disks, as in `/sys/block`.
  static func read(proc: String = "/proc", disks: Set<String>) -> MachineReading {
    func text(_ name: String) -> String { ProcText.read("\(proc)/\(name)") ?? "" }
    var reading = MachineReading()
    reading.take(stat: text("stat"))
    reading.take(meminfo: text("meminfo"))
    reading.take(diskstats: text("diskstats"), disks: disks)
    reading.take(interfaces: text("net/dev"))
    return reading
  }

  /// Disks that are there themselves: no partitions, no loops, no memory, nothing that lies on other disks.
  static func wholeDisks(in folder: String = "/sys/block") -> Set<String> {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let others = ["loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"]
    return Set(names.filter { name in !others.contains { name.hasPrefix($0) } })
  }

  mutating func take(stat: String) {
    guard let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return }
    // user nice system idle iowait irq softirq steal; guests are in user and nice already.
    let ticks = line.split(separator: " ").dropFirst().prefix(8).map { UInt64($0) ?? 0 }
    guard ticks.count > 4 else { return }
    allTicks = ticks.reduce(0, &+)
    busyTicks = allTicks &- ticks[3] &- ticks[4]
  }

  mutating func take(meminfo: String) {
    for line in meminfo.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 1, let kilobytes = UInt64(words[1]) else { continue }
      switch words[0] {
      case "MemTotal:": memoryBytes = kilobytes << 10
      case "MemAvailable:": availableBytes = kilobytes << 10
      default: continue
      }
    }
  }

  mutating func take(diskstats: String, disks: Set<String>) {
    for line in diskstats.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 9, disks.contains(String(words[2])) else { continue }
      // Sectors of 512 bytes, whatever the disk's own are.
      readBytes &+= (UInt64(words[5]) ?? 0) &* 512
      writtenBytes &+= (UInt64(words[9]) ?? 0) &* 512
    }
  }

  mutating func take(interfaces: String) {
    let others = ["lo", "veth", "docker", "br-", "virbr"]
    for line in interfaces.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].drop { $0 == " " }
      guard !others.contains(where: { name == $0 || $0 != "lo" && name.hasPrefix($0) }) else { continue }
      let words = line[line.index(after: colon)...].split(separator: " ")
      guard words.count > 8 else { continue }
      receivedBytes &+= UInt64(words[0]) ?? 0
      sentBytes &+= UInt64(words[8]) ?? 0
    }
  }

  /// What is used now, and since an earlier reading.
  ///
  /// - Parameters:
  ///   - before: nil: nothing is known from before, so there are no rates.
  ///   - seconds: since then.
  func values(since before: MachineReading?, seconds: Double) -> [SampledValue] {
    var values: [SampledValue] = []
    if memoryBytes > 0 {
      let used = memoryBytes - min(memoryBytes, availableBytes)
      values.append(SampledValue("memory", 100 * Double(used) / Double(memoryBytes)))
      values.append(SampledValue("memory/used", Double(used)))
    }
    guard let before, seconds > 0 else { return values }
    if allTicks > before.allTicks {
      let busy = Double(busyTicks - min(busyTicks, before.busyTicks))
      values.append(SampledValue("cpu", min(100, 100 * busy / Double(allTicks - before.allTicks))))
    }
    func rate(_ name: String, _ counter: KeyPath<MachineReading, UInt64>) {
      // A disk or an interface that was taken away takes its counts with it.
      let (new, old) = (self[keyPath: counter], before[keyPath: counter])
      if new >= old { values.append(SampledValue(name, Double(new - old) / seconds)) }
    }
    rate("disk/read", \.readBytes)
    rate("disk/write", \.writtenBytes)
    rate("network/sent", \.sentBytes)
    rate("network/received", \.receivedBytes)
    return values
  }
}

/// One number of a sample.
package struct SampledValue: Sendable, Hashable {
  package var name: String
  package var value: Double

  package init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// How full file systems are.
enum FileSystems {
  /// Where the file systems of some paths are mounted, each once.
  static func mounts(of paths: [String], table: String) -> [String] {
    let points = table.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      return words.count > 4 ? words[4].replacingOccurrences(of: "\\040", with: " ") : nil
    }
    var found: [String] = []
    for path in paths {
      let mount = points.filter { path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : "\($0)/") }
        .max { $0.utf8.count < $1.utf8.count }
      if let mount, !found.contains(mount) { found.append(mount) }
    }
    return found
  }

  /// How much of a file system is used, of what this account may use; `/` has no name in between.
  static func used(of mount: String) -> SampledValue? {
    var status = statvfs()
    guard statvfs(mount, &status) == 0, status.f_blocks > 0 else { return nil }
    let used = Double(status.f_blocks - status.f_bfree)
    let all = used + Double(status.f_bavail)
    guard all > 0 else { return nil }
    let name = mount.drop { $0 == "/" }
    return SampledValue("disk/\(name)\(name.isEmpty ? "" : "/")used", 100 * used / all)
  }
}

/// Small files that a kernel makes as they are read.
enum ProcText {
  /// Nil: there is none, or not for this account.
  static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    while true {
      let count = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { piece in
        let count = Glibc.read(file, piece.baseAddress, piece.count)
        if count > 0 { bytes += piece[..<count] }
        return count
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
    }
  }
}
