// `martlet doctor`: what it looks at, and when it fails.

import Foundation
import MartletExecution
import MartletModel
import MartletTestSupport
import Testing

@testable import martlet

@Suite("doctor", .serialized)
struct DoctorTests {
  private func statuses(_ place: Workplace) async throws -> [String: String] {
    let outcome = try await place.martlet("doctor", "--format", "json")
    let checks = try JSONValue.parse(outcome.output).array ?? []
    return Dictionary(
      checks.map { ($0["name"]?.string ?? "", $0["status"]?.string ?? "") }, uniquingKeysWith: { $1 })
  }

  @Test("with a server that is up all is well, and the server's own checks stand beside")
  func healthy() async throws {
    try await Workplace.withServer { place in
      let checks = try await statuses(place)
      for name in ["data directory", "permissions", "lock", "write-ahead log", "server", "synchronous"] {
        #expect(checks[name] == "ok", "\(name): \(checks)")
      }
      for name in ["disk", "file system", "devices", "python", "supervisor", "gpu metrics"] {
        #expect(checks[name] != nil)
      }
      // What there is for metrics, limits and connections, whatever this machine has.
      for name in ["control groups", "open files"] { #expect(checks[name] == "ok", "\(name): \(checks)") }
      let pid = try #require(place.announcedPID)
      let table = try await place.martlet("doctor")
      #expect(table.status == 0, "\(table)")
      #expect(table.output.contains("process \(pid)"))
    }
  }

  @Test("without a server it checks what it can")
  func noServer() async throws {
    try await Workplace.with { place in
      let checks = try await statuses(place)
      #expect(checks["server"] == "ok")
      #expect(checks["data directory"] == "ok")
    }
  }

  @Test("a data directory that others may read is a warning, one that cannot be is an error and status 1")
  func faults() async throws {
    try await Workplace.with { place in
      try FileManager.default.createDirectory(atPath: place.data, withIntermediateDirectories: true)
      #expect(chmod(place.data, 0o755) == 0)
      #expect(try await statuses(place)["permissions"] == "warning")

      let file = try place.write("file", "")
      let outcome = try await place.martlet("doctor", environment: ["MARTLET_DATA": file])
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("no directory"))
    }
  }

  @Test("the database is looked at beside its server; --deep needs the directory")
  func store() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      try await place.log((0..<300).map { #"{"loss": \#($0)}"# }, to: run)
      for options in [[], ["--deep"]] {
        let outcome = try await place.martlet(["doctor", "--format", "json"] + options)
        #expect(outcome.status == 0, "\(outcome)")
        let checks = try JSONValue.parse(outcome.output).array ?? []
        func message(_ name: String) -> String {
          checks.first { $0["name"]?.string == name }?["message"]?.string ?? ""
        }
        #expect(message("database").hasPrefix("1 run, 300 points: whole"))
        #expect(message("unsealed rows").contains("300 rows"))
        #expect(message("free pages").contains("%"))
        #expect(message("blobs").hasPrefix("0 files"))
      }
      let remote = try await place.martlet("doctor", "--deep", "--url", place.announcedURL)
      #expect(remote.status == 64, "\(remote)")
    }
  }

  @Test("who tells of GPUs is named, before anything runs")
  func drivers() async throws {
    try await Workplace.with { place in
      let smi = place.root.path + "/nvidia-smi"
      try makeProgram(at: smi, script: "#!/bin/sh\necho '0, 35, 1024, 4096, 61, 250.5'\n")
      func check() async throws -> JSONValue? {
        let outcome = try await place.martlet(
          ["doctor", "--format", "json"], environment: ["MARTLET_NVIDIA_SMI": smi])
        return try JSONValue.parse(outcome.output).array?.first { $0["name"] == "gpu metrics" }
      }
      let answering = try await check()
      #expect(answering?["status"] == "ok")
      #expect(answering?["message"] == "nvidia-smi tells of 1.")
      try makeProgram(at: smi, script: "#!/bin/sh\nexit 9\n")
      let silent = try await check()
      #expect(silent?["status"] == "warning")
      #expect(
        silent?["hint"]?.string?.contains("nvidia-smi must list the GPUs") == true,
        "\(String(describing: silent))")
    }
  }

  @Test("a file system of another machine is a warning that names the write-ahead log")
  func networkFileSystem() {
    func check(_ kind: String) -> Check {
      DirectoryChecks.fileSystem(
        of: "/data/martlet",
        mounts:
          "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:26 / /data rw shared:4 - \(kind) server:/data rw\n")
    }
    for kind in ["nfs4", "cifs", "fuse.sshfs", "lustre"] {
      #expect(check(kind).status == .warning)
      #expect(check(kind).message.contains("write-ahead log"))
      #expect(check(kind).hint != nil)
    }
    #expect(check("xfs").status == .ok)
    #expect(DirectoryChecks.fileSystem(of: "/data", mounts: "").status == .warning)
  }

  @Test("what is not parallel, what was left over and who locks the database is told with what to do")
  func troubles() async throws {
    try await Workplace.withServer(["--devices", "2"]) { place in
      func check(_ name: String) async throws -> JSONValue? {
        let outcome = try await place.martlet("doctor", "--format", "json")
        return try JSONValue.parse(outcome.output).array?.first { $0["name"]?.string == name }
      }
      try place.write(
        "slow.yaml",
        """
        method: grid
        command: [sh, -c, "while [ ! -e go ]; do sleep 0.05; done"]
        max_parallel: 1
        parameters: {x: {values: [1, 2]}}

        """)
      let sweep = try await place.martlet("sweep", "run", "--detach", "slow.yaml")
      #expect(sweep.status == 0, "\(sweep)")
      let parallel = try await check("parallel runs")
      #expect(parallel?["status"] == "warning")
      #expect(
        parallel?["message"]?.string?.contains("max_parallel is 1") == true, "\(String(describing: parallel))"
      )
      try place.write("go", "")

      let ran = try await place.martlet("run", "--name", "done", "--", "true")
      #expect(ran.status == 0, "\(ran)")
      let run = try await place.json("run", "show", "done")
      let left = try ChildProcess(
        "/bin/sleep", ["600"],
        environment: [
          "MARTLET_DATA": place.data, "MARTLET_RUN_ID": run["id"]?.string ?? "", "MARTLET_ATTEMPT": "1",
        ]
      ).start(standing: .group)
      let leaks = try await check("leaks")
      kill(left, SIGKILL)
      var status: Int32 = 0
      waitpid(left, &status, 0)
      #expect(leaks?["status"] == "warning")
      #expect(leaks?["hint"]?.string?.contains("kill \(left)") == true, "\(String(describing: leaks))")

      #expect(try await check("database lock")?["status"] == "ok")
      let python = try #require(
        ChildProcess.locate("python3", environment: ProcessInfo.processInfo.environment))
      let holder = try Running(
        [
          "-c",
          "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(600)",
          "\(place.data)/martlet.db",
        ], environment: [:], directory: place.root, program: python)
      #expect(try await eventually { holder.outputSoFar.contains("held") })
      let locked = try await check("database lock")
      holder.signal(SIGKILL)
      _ = try await holder.outcome()
      #expect(locked?["status"] == "error")
      #expect(
        locked?["hint"]?.string?.contains("process \(holder.pid)") == true, "\(String(describing: locked))")
    }
  }

  @Test("logs are compared with their times: what is shorter than it was is a warning")
  func logs() async throws {
    try await Workplace.withServer { place in
      func check(_ options: String...) async throws -> JSONValue? {
        let outcome = try await place.martlet(["doctor", "--format", "json"] + options)
        #expect(outcome.status == 0, "\(outcome)")
        return try JSONValue.parse(outcome.output).array?.first { $0["name"] == "logs" }
      }
      let ran = try await place.martlet("run", "--name", "noisy", "--", "sh", "-c", "echo one; echo two >&2")
      #expect(ran.status == 0, "\(ran)")
      let run = try await place.makeRun("outside")
      try await place.api(
        "POST", "/runs/\(run)/logs?client=client-1&offset=0", text: "said\n",
        type: "application/octet-stream")
      for options in [[], ["--deep"]] {
        let outcome = try await place.martlet(["doctor", "--format", "json"] + options)
        let check = try JSONValue.parse(outcome.output).array?.first { $0["name"] == "logs" }
        #expect(check?["status"] == "ok", "\(outcome)")
        #expect(check?["message"]?.string?.hasPrefix("2 logs, 13 B") == true, "\(outcome)")
      }
      try Data("s".utf8).write(to: URL(fileURLWithPath: "\(place.data)/runs/\(run)/log-1/stdout.log"))
      let shortened = try await check()
      #expect(shortened?["status"] == "warning")
      #expect(
        shortened?["message"]?.string?.contains("log-1/stdout.log had 5 bytes; 1 are there.") == true,
        "\(String(describing: shortened))")
      try Data(repeating: 7, count: 17).write(
        to: URL(fileURLWithPath: "\(place.data)/runs/\(run)/log-1/log.idx"))
      #expect(try await check("--deep")?["message"]?.string?.contains("log.idx is damaged") == true)
    }
  }
}
