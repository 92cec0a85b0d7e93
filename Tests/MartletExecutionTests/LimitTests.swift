// Limits of attempts: what keeps them on machines of every kind, and what is said when one is passed.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletExecution

@Suite struct LimitTests {
  private func files(_ files: [String: String], in root: String) throws {
    for (name, text) in files {
      let url = URL(fileURLWithPath: "\(root)/\(name)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  /// What our directories are called.
  private func name(of owner: String) throws -> String {
    try withScratchRoot { root in
      try files(Self.versionTwo, in: root)
      _ = Confinement(owner: owner, root: root)
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/sys/fs/cgroup/me")
      return try #require(names.first { $0.hasPrefix("martlet-") })
    }
  }

  private func withScratchRoot<T>(_ body: (String) throws -> T) throws -> T {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? removeScratch(url.path) }
    return try body(url.path)
  }

  /// A group of version 2 that hands nothing on yet; `martlet-x` stands for our directory in it.
  private static let versionTwo = [
    "proc/self/cgroup": "0::/me\n",
    "proc/self/mountinfo": "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/me/cgroup.controllers": "cpu memory pids\n",
    "sys/fs/cgroup/me/cgroup.subtree_control": "cpu memory\n",
  ]

  // MARK: - Ways

  @Test func `version 2 keeps memory and processors, and ends a group as a whole`() throws {
    let ours = try name(of: "/data")
    try withScratchRoot { root in
      var all = Self.versionTwo
      all["sys/fs/cgroup/me/\(ours)/cgroup.subtree_control"] = "cpu memory\n"
      all["sys/fs/cgroup/me/\(ours)/cgroup.kill"] = ""
      try files(all, in: root)
      let confinement = Confinement(owner: "/data", root: root)
      #expect(confinement.memoryWay == .groupOfVersion2)
      #expect(confinement.cpusWay == .groupOfVersion2)
      #expect(confinement.killsByGroup)
      let limits = AttemptLimits(memory: 2_000_000_000, cpus: 2, output: 5_000, openFiles: 64)
      let confined = confinement.confine("run.1", to: limits)
      let group = "\(root)/sys/fs/cgroup/me/\(ours)/run.1"
      #expect(confined.groups == [group], "one group for all of it")
      #expect(confined.memoryWay == .groupOfVersion2 && confined.cpusWay == .groupOfVersion2)
      #expect(text("\(group)/memory.max") == "2000000000")
      #expect(text("\(group)/memory.oom.group") == "1")
      #expect(text("\(group)/cpu.max") == "200000 100000")
      #expect(confined.options == ["-G", group, "-o", "5000", "-n", "64"])
      // Without limits too: for its end.
      let free = confinement.confine("run.2", to: AttemptLimits())
      #expect(free.options == ["-G", "\(root)/sys/fs/cgroup/me/\(ours)/run.2"])
      #expect(free.json == .null)
      confinement.release("run.2")
      #expect(!exists("\(root)/sys/fs/cgroup/me/\(ours)/run.2"))
      // A group that cannot be made: the next best way.
      try files(["sys/fs/cgroup/me/\(ours)/run.3": "in the way"], in: root)
      let second = confinement.confine("run.3", to: AttemptLimits(memory: 1_000))
      #expect(second.memoryWay == .polling)
      #expect(second.options == ["-M", "1000"])
    }
  }

  @Test func `a group without controllers is left alone`() throws {
    try withScratchRoot { root in
      var all = Self.versionTwo
      all["sys/fs/cgroup/me/cgroup.controllers"] = "pids\n"
      try files(all, in: root)
      let confinement = Confinement(owner: "/data", root: root)
      #expect(confinement.memoryWay == .polling)
      #expect(confinement.cpusWay == .affinity)
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/sys/fs/cgroup/me")
      #expect(names.allSatisfy { !$0.hasPrefix("martlet-") })
      let bare = "\(root)/bare"
      try files([:], in: bare)
      #expect(Confinement(owner: "/data", root: bare).confine("run.1", to: AttemptLimits()) == Confined())
    }
  }

  @Test func `version 1 has a hierarchy for each`() throws {
    let ours = try name(of: "/data")
    try withScratchRoot { root in
      let memory = "sys/fs/cgroup/memory/box/\(ours)"
      let cpu = "sys/fs/cgroup/cpu,cpuacct/\(ours)"
      try files(
        [
          "proc/self/cgroup": "4:memory:/box\n3:name=systemd:/box\n2:cpu,cpuacct:/\n",
          "proc/self/mountinfo": """
          30 22 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
          31 22 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
          32 22 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd

          """,
          "\(memory)/memory.limit_in_bytes": "", "\(memory)/run.1/memory.memsw.limit_in_bytes": "",
          "\(cpu)/cpu.cfs_quota_us": "",
        ], in: root)
      try FileManager.default.removeItem(atPath: "\(root)/\(memory)/run.1")
      let confinement = Confinement(owner: "/data", root: root)
      #expect(confinement.memoryWay == .groupOfVersion1)
      #expect(confinement.cpusWay == .groupOfVersion1)
      #expect(!confinement.killsByGroup)
      let confined = confinement.confine("run.1", to: AttemptLimits(memory: 4_096, cpus: 3))
      #expect(confined.groups == ["\(root)/\(memory)/run.1", "\(root)/\(cpu)/run.1"])
      #expect(text("\(root)/\(memory)/run.1/memory.limit_in_bytes") == "4096")
      #expect(text("\(root)/\(cpu)/run.1/cpu.cfs_quota_us") == "300000")
      #expect(confined.json["memory_by"] == "cgroup v1")
    }
  }

  @Test func `groups of attempts that are gone are removed, those of others stay`() throws {
    let ours = try name(of: "/data")
    try withScratchRoot { root in
      var all = Self.versionTwo
      let place = "sys/fs/cgroup/me/\(ours)"
      all["\(place)/cgroup.subtree_control"] = "cpu memory\n"
      try files(all, in: root)
      for name in ["gone.1", "starting.1"] {
        try FileManager.default.createDirectory(
          atPath: "\(root)/\(place)/\(name)", withIntermediateDirectories: true)
      }
      let confinement = Confinement(owner: "/data", root: root)
      confinement.removeLeftovers(besides: ["starting.1"])
      #expect(!exists("\(root)/\(place)/gone.1"))
      #expect(exists("\(root)/\(place)/starting.1"))
    }
  }

  @Test func `processors are shared out evenly, the first first`() {
    #expect(CPUShares.list("0-2,5,8-9\n".trimmingCharacters(in: .newlines)) == [0, 1, 2, 5, 8, 9])
    #expect(CPUShares.list("") == [])
    #expect(!CPUShares.own.isEmpty)
    var shares = CPUShares(allowed: [2, 3, 6, 7])
    #expect(shares.take(2, for: "a") == [2, 3])
    #expect(shares.take(1, for: "b") == [6])
    #expect(shares.take(2, for: "c") == [2, 7])
    shares.give("a")
    #expect(shares.take(1, for: "d") == [3])
    shares.keep([3, 6], for: "e")
    #expect(shares.take(1, for: "f") == [2])
    #expect(shares.take(99, for: "g") == [2, 3, 6, 7], "there are no more")
  }

  @Test func `what keeps an attempt is found again beside its records`() async throws {
    try await withScratch { scratch in
      let directory = AttemptDirectory(path: scratch)
      #expect(directory.confined == Confined())
      let confined = Confined(
        AttemptLimits(memory: 7, cpus: 1, output: 2, openFiles: 3), memoryWay: .polling, cpusWay: .affinity,
        cpus: [1], groups: ["/a", "/b"])
      try confined.write(in: directory)
      #expect(directory.confined == confined)
      #expect(confined.options == ["-G", "/a", "-G", "/b", "-M", "7", "-c", "1", "-o", "2", "-n", "3"])
    }
  }

  // MARK: - Real processes

  private static let hog = "import time; held = b'x' * 300_000_000; print(len(held)); time.sleep(300)"

  private func expectMemoryEnd(_ confined: Confined, in scratch: String) async throws {
    let launched = try Launched(
      ["python3", "-c", Self.hog], in: scratch, grace: 60, confined: confined)
    let exit = try await launched.news.exit()
    let end = AttemptEnd(
      exit, directory: launched.directory, launch: (nil, nil), limits: confined.limits,
      wasStopRequested: false)
    #expect(end.state == .killed)
    #expect(end.ranOutOfMemory)
    #expect(end.use.limit == "memory")
    #expect(end.exit.reason.hasPrefix("Exit 137: killed by its memory limit of 100 MB after "))
    #expect(end.exit.reason.contains("; it had used "))
    #expect(try #require(end.use.peakMemory) > 90_000_000)
    #expect(confined.groups.allSatisfy { !exists($0) })
  }

  @Test func `a hog is ended by looking at it`() async throws {
    try await withScratch { scratch in
      try await expectMemoryEnd(
        Confined(AttemptLimits(memory: 100_000_000), memoryWay: .polling), in: scratch)
    }
  }

  @Test func `and by this machine's own way`() async throws {
    try await withScratch { scratch in
      let confinement = Confinement(owner: scratch)
      let confined = confinement.confine("run.1", to: AttemptLimits(memory: 100_000_000))
      #expect(confined.memoryWay == confinement.memoryWay)
      try await expectMemoryEnd(confined, in: scratch)
      confinement.release("run.1")
      for group in confined.groups {
        #expect(!exists(URL(fileURLWithPath: group).deletingLastPathComponent().path))
      }
    }
  }

  @Test func `who loses its supervisor is found by its groups`() async throws {
    try await withScratch { scratch in
      let confinement = Confinement(owner: scratch)
      let confined = confinement.confine("run.1", to: AttemptLimits())
      defer { confinement.release("run.1") }
      // Neither its group, nor its session, nor its environment tells whose it is.
      let script = "env -i setsid sleep 300 & echo $!; exec sleep 300"
      try FileManager.default.createDirectory(
        atPath: "\(scratch)/attempt-1", withIntermediateDirectories: true)
      try confined.write(in: AttemptDirectory(path: "\(scratch)/attempt-1"))
      let launched = try Launched(["sh", "-c", script], in: scratch, confined: confined)
      #expect(try await launched.prints("\n"))
      let worker = try #require(
        Int32(try launched.text().trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(try #require(launched.directory.attemptFile).supervisor.signal(SIGKILL))
      guard case .lost(let file) = try await launched.news.over() else {
        throw Unexpected("\(launched.news.all)")
      }
      let causes = CauseLog()
      let watch = LostWatch(
        launched.directory, command: try #require(file.command), timeout: nil, grace: 60, stopSignal: .term
      ) { causes.take($0) }
      watch.stop(patience: nil)
      #expect(try await eventually { causes.all == [.request] })
      if confined.groups.isEmpty {
        kill(worker, SIGKILL)  // nothing tells whose it was
      } else {
        #expect(!isAlive(worker))
      }
    }
  }

  // MARK: - Words

  private func end(
    _ members: JSONObject, limits: AttemptLimits = AttemptLimits(), said: String? = nil, errors: String = ""
  ) async throws -> AttemptEnd {
    var record: JSONObject = [
      "code": -1, "signal": 9, "errno": 0, "reason": "SIGKILL", "killed": false, "leftovers": 0,
      "started_us": 1_790_000_000_000_000, "ended_us": 1_790_000_250_000_000, "wall": 250.0, "utime": 3.0,
      "stime": 1.5, "maxrss_kb": 1_000, "limit": nil, "peak_bytes": 1_996_000_000, "oom_kills": 0,
      "machine_oom_kills": 0,
    ]
    for (key, value) in members { record[key] = value }
    let file = try #require(ExitFile(json: .object(record)))
    return try await withScratch { scratch in
      try write(errors, to: "\(scratch)/stderr.log")
      return AttemptEnd(
        file, directory: AttemptDirectory(path: scratch), launch: (nil, said), limits: limits,
        wasStopRequested: false)
    }
  }

  @Test func `a memory limit is told with its size, the time and the peak`() async throws {
    let limits = AttemptLimits(memory: 2_000_000_000)
    let end = try await end(["reason": "memory limit", "limit": "memory", "killed": true], limits: limits)
    #expect(end.state == .killed && end.ranOutOfMemory)
    #expect(
      end.exit.reason
        == "Exit 137: killed by its memory limit of 2.0 GB after 4 min 10 s; it had used 2.0 GB at most.")
    #expect(end.use == AttemptUse(peakMemory: 1_996_000_000, cpuSeconds: 4.5, limit: "memory"))
    let worker = try await self.end(
      ["reason": "memory limit", "limit": "memory", "code": 1, "signal": 0], limits: limits)
    #expect(
      worker.exit.reason
        == "Exit 1: one of its processes was killed by its memory limit of 2.0 GB after 4 min 10 s; it had used 2.0 GB at most."
    )
    #expect(worker.state == .killed && worker.ranOutOfMemory)
  }

  @Test func `the kernel's own choice for want of memory is told as what it seems`() async throws {
    for key in ["oom_kills", "machine_oom_kills"] {
      let end = try await end([key: 1])
      #expect(end.state == .crashed && end.ranOutOfMemory)
      #expect(
        end.exit.reason
          == "Exit 137: killed after 4 min 10 s, by the kernel for want of memory of the machine, it seems; it had used 2.0 GB at most."
      )
    }
    let other = try await end([:])
    #expect(other.exit.reason == "Ended by signal 9 (SIGKILL).")
    #expect(!other.ranOutOfMemory)
  }

  @Test func `output and what a program says of memory itself`() async throws {
    let output = try await end(
      ["reason": "output limit", "limit": "output", "signal": 15], limits: AttemptLimits(output: 10_000))
    #expect(output.exit.reason == "Ended by its output limit of 10.0 kB after 4 min 10 s.")
    #expect(output.state == .killed && !output.ranOutOfMemory)
    for line in [
      "MemoryError", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
      "RuntimeError: CUDA error: out of memory",
    ] {
      let end = try await end(["reason": "exited", "code": 1, "signal": 0], errors: "Traceback:\n\(line)\n")
      #expect(end.state == .failed && end.ranOutOfMemory, "\(line)")
      #expect(end.exit.reason == "Exited with code 1: \(line)")
    }
    let fine = try await end(
      ["reason": "exited", "code": 0, "signal": 0], errors: "MemoryError, but went on\n")
    #expect(!fine.ranOutOfMemory)
  }

  @Test func `sizes are told in the units of sweep files`() {
    #expect(
      [0, 999, 1_000, 1_500_000, 99_940_000, 150_000_000, 2_147_483_648, 3_000_000_000_000].map(
        ByteWords.text)
        == ["0 B", "999 B", "1.0 kB", "1.5 MB", "99.9 MB", "150 MB", "2.1 GB", "3.0 TB"])
  }
}
