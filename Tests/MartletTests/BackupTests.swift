// `martlet backup` and what `martlet doctor` finds: copies that servers start on, whatever happens meanwhile.

import Foundation
import MartletExecution
import MartletModel
import MartletTestSupport
import Synchronization
import Testing

@Suite("backup", .serialized)
struct BackupTests {
  /// A file that a run refers to, put over the API.
  private static let blob = Array("not really a picture".utf8)

  /// One run that Martlet executed, one from outside with rows and a file.
  private func fill(_ place: Workplace) async throws -> (executed: String, outside: String) {
    #expect(
      try await place.martlet("run", "--name", "executed", "--", "sh", "-c", "echo said; echo bad >&2").status
        == 0)
    let run = try await place.makeRun("outside", config: ["lr": 0.5])
    try await place.log((0..<600).map { #"{"loss": \#($0), "note": "n\#($0)"}"# }, to: run)
    let hash = hexadecimal(SHA256.hash(Self.blob))
    try await place.api(
      "PUT", "/runs/\(run)/blobs/\(hash)", text: String(decoding: Self.blob, as: UTF8.self),
      type: "application/octet-stream")
    return (try await place.json("run", "show", "executed")["id"]?.string ?? "", run)
  }

  private var blobName: String {
    let hash = hexadecimal(SHA256.hash(Self.blob))
    return "blobs/\(hash.prefix(2))/\(hash.dropFirst(2))"
  }

  private func checks(_ data: String, _ place: Workplace, deep: Bool = true) async throws -> [String:
    JSONValue]
  {
    let outcome = try await place.martlet(
      ["doctor", "--data", data, "--format", "json"] + (deep ? ["--deep"] : []))
    let checks = try JSONValue.parse(outcome.output).array ?? []
    let errors = checks.contains { $0["status"] == "error" }
    #expect(outcome.status == (errors ? 1 : 0), "\(outcome)")
    return Dictionary(checks.map { ($0["name"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
  }

  private func mode(_ path: String) throws -> Int {
    (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? 0
  }

  @Test(
    "a copy made beside a server that is up is a data directory like the first", arguments: [false, true])
  func restores(links: Bool) async throws {
    try await Workplace.withServer { place in
      let runs = try await fill(place)
      let copy = place.root.path + "/copy"
      let outcome = try await place.martlet(["backup", copy, "--verify"] + (links ? ["--link"] : []))
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("2 runs"))
      #expect(outcome.output.contains("read again"))
      let names = Set(try FileManager.default.contentsOfDirectory(atPath: copy))
      #expect(names.isSuperset(of: ["martlet.db", "backup.json", "runs", "blobs"]))
      #expect(
        names.isDisjoint(with: [
          "token", "address.key", "lock", "server.json", "server.log", "martlet.db-wal",
        ]))
      #expect(!place.exists(copy + ".partial"))
      #expect(try mode(copy) == 0o700)
      for path in try FileManager.default.subpathsOfDirectory(atPath: "\(place.data)/runs") {
        guard !path.hasSuffix("/lock") else { continue }
        #expect(try mode("\(copy)/runs/\(path)") == mode("\(place.data)/runs/\(path)"), "\(path)")
      }
      let shared =
        try FileManager.default.attributesOfItem(atPath: "\(copy)/\(blobName)")[.referenceCount] as? NSNumber
      #expect(shared?.intValue == (links ? 2 : 1))

      let record = try JSONValue.parse(try place.text(of: copy + "/backup.json"))
      #expect(record["runs"] == 2)
      #expect(record["points"] == 600)
      #expect(record["blobs"]?["count"] == 1)
      let database = try Data(contentsOf: URL(fileURLWithPath: copy + "/martlet.db"))
      #expect(record["database"]?["sha256"]?.string == hexadecimal(SHA256.hash(database)))
      for name in ["database", "blobs", "backup"] {
        #expect(try await checks(copy, place)[name]?["status"] == "ok")
      }

      // The original goes on; a server on the copy has all of it.
      try await place.log([#"{"loss": 600}"#], to: runs.outside, from: 600)
      let other = ["MARTLET_DATA": copy]
      #expect(try await place.martlet(["up", "--detach", "--port", "0"], environment: other).status == 0)
      do {
        let history = try await place.martlet(
          ["run", "history", runs.outside, "--format", "jsonl"], environment: other)
        #expect(history.lines.count == 600)
        #expect(history.lines.last?.contains(#""note":"n599""#) == true)
        #expect(
          try await place.martlet(["run", "logs", runs.executed], environment: other).output == "said\n")
        #expect(
          try await place.martlet(["run", "logs", "--stderr", runs.executed], environment: other).output
            == "bad\n")
        let shown = try JSONValue.parse(
          try await place.martlet(["run", "show", runs.executed, "--format", "json"], environment: other)
            .output)
        #expect(shown["state"] == "finished")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(copy)/\(blobName)")) == Data(Self.blob))
        #expect(
          try await checks(copy, place)["backup"]?["message"]?.string?.contains("a server has used it")
            == true)
      }
      #expect(try await place.martlet(["down"], environment: other).status == 0)
      #expect(try await place.history(runs.outside).count == 601)
    }
  }

  @Test("what was answered before the copy began is in it, and what is in it has no gap, while rows come in")
  func whileWriting() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("busy")
      let isOver = Atomic(false)
      let writer = Task {
        var logged = 0
        while !isOver.load(ordering: .relaxed) {
          try await place.log((0..<50).map { #"{"loss": \#(logged + $0)}"# }, to: run, from: logged)
          logged += 50
        }
        return logged
      }
      var floors: [Int] = []
      for copy in 1...3 {
        #expect(
          try await eventually {
            try await place.api("GET", "/runs/\(run)")["points"]?.int ?? 0 >= Int64(copy * 200)
          })
        floors.append(Int(try await place.api("GET", "/runs/\(run)")["points"]?.int ?? 0))
        let outcome = try await place.martlet("backup", "copy-\(copy)", "--verify")
        #expect(outcome.status == 0, "\(outcome)")
      }
      isOver.store(true, ordering: .relaxed)
      let logged = try await writer.value
      for (copy, floor) in zip(1...3, floors) {
        let data = ["MARTLET_DATA": "\(place.root.path)/copy-\(copy)"]
        #expect(try await place.martlet(["up", "--detach", "--port", "0"], environment: data).status == 0)
        let history = try await place.martlet(
          ["run", "history", run, "--format", "jsonl"], environment: data)
        #expect(try await place.martlet(["down"], environment: data).status == 0)
        let steps = try history.lines.map { try JSONValue.parse($0)["step"]?.int ?? -1 }
        #expect(steps == Array(0..<Int64(steps.count)))
        #expect((floor...logged).contains(steps.count), "\(steps.count) rows of \(floor) to \(logged)")
      }
    }
  }

  @Test(
    "a server on a copy has nothing to do with the original: not with its files, nor with what runs there")
  func independent() async throws {
    try await Workplace.withServer { place in
      let started = try await place.martlet(
        "run", "--detach", "--name", "long", "--", "sh", "-c", "echo said; echo $$ > pid; exec sleep 300")
      let run = started.output.trimmingCharacters(in: .newlines)
      #expect(try await eventually { try await place.martlet("run", "logs", run).output == "said\n" })
      let pid = try #require(
        Int32(try place.text(of: place.root.path + "/pid").trimmingCharacters(in: .newlines)))
      #expect(try await place.martlet("backup", "copy", "--verify").status == 0)
      let copy = ["MARTLET_DATA": place.root.path + "/copy"]
      #expect(try await place.martlet(["up", "--detach", "--port", "0"], environment: copy).status == 0)
      func shown() async throws -> JSONValue {
        try JSONValue.parse(
          try await place.martlet(["run", "show", run, "--format", "json"], environment: copy).output)
      }
      #expect(try await eventually { try await shown()["state"] == "crashed" })
      #expect(try await place.martlet(["run", "stop", run], environment: copy).status == 1)
      #expect(isAlive(pid))
      #expect(try await place.json("run", "show", run)["state"] == "running")
      // Without the original's files the copy has its own.
      try FileManager.default.moveItem(atPath: place.data + "/runs", toPath: place.root.path + "/runs")
      #expect(try await place.martlet(["run", "logs", run], environment: copy).output == "said\n")
      #expect(try await place.martlet(["down"], environment: copy).status == 0)
      try FileManager.default.moveItem(atPath: place.root.path + "/runs", toPath: place.data + "/runs")
      #expect(try await place.martlet("run", "stop", run, "--grace", "0").status == 0)
      #expect(try await eventually { !isAlive(pid) })
    }
  }

  @Test("without a server it is the same; the token comes along when it is asked for, results stay when not")
  func withoutServer() async throws {
    try await Workplace.withServer { place in
      _ = try await fill(place)
      try place.write("data/results/sweep/best.txt", "1\n")
      try FileManager.default.createSymbolicLink(
        atPath: place.data + "/results/latest", withDestinationPath: "sweep/best.txt")
      #expect(try await place.martlet("down").status == 0)
      #expect(try await place.martlet("backup", "a", "--with-token", "--verify").status == 0)
      #expect(try place.text(of: place.root.path + "/a/token") == place.text(of: place.data + "/token"))
      #expect(try mode(place.root.path + "/a/token") == 0o600)
      #expect(try place.text(of: place.root.path + "/a/results/latest") == "1\n")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: place.root.path + "/a/results/latest")
          == "sweep/best.txt")
      // A copy can be copied; its own record is not taken for the copy's.
      let second = try await place.martlet(
        "backup", "b", "--data", "a", "--without-results", "--format", "json")
      #expect(second.status == 0, "\(second)")
      #expect(try JSONValue.parse(second.output)["source"]?.string == place.root.path + "/a")
      #expect(!place.exists(place.root.path + "/b/results"))
      for name in ["database", "backup"] {
        #expect(try await checks(place.root.path + "/b", place)[name]?["status"] == "ok")
      }
    }
  }

  @Test("what cannot be copied, or not to there, is said, and nothing is left of it")
  func refusals() async throws {
    try await Workplace.with { place in
      let nothing = try await place.martlet("backup", "copy")
      #expect(nothing.status == 66, "\(nothing)")
      #expect(try await place.martlet("up", "--detach", "--port", "0").status == 0)
      try FileManager.default.createDirectory(
        atPath: place.root.path + "/there", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: place.root.path + "/inside", withDestinationPath: place.data)
      for (destination, status, word) in [
        ("there", 73, "overwrites nothing"), ("data/copy", 64, "lies in the data directory"),
        ("inside/copy", 64, "lies in the data directory"), ("none/copy", 73, "no directory"),
        ("/proc/copy", 73, "/proc"),
      ] as [(String, Int32, String)] {
        let outcome = try await place.martlet("backup", destination)
        #expect(outcome.status == status, "\(destination): \(outcome)")
        #expect(outcome.errors.contains(word), "\(outcome)")
      }
      #expect(try await place.martlet("backup").status == 64)
      try place.write("copy.partial/mine", "")
      let inTheWay = try await place.martlet("backup", "copy")
      #expect(inTheWay.status == 73, "\(inTheWay)")
      #expect(place.exists(place.root.path + "/copy.partial/mine"))
      #expect(!place.exists(place.root.path + "/copy.partial.lock"))
      #expect(!place.exists(place.root.path + "/copy"))
    }
  }

  @Test("one that is killed leaves only a temporary folder, which the next removes, or names")
  func killed() async throws {
    try await Workplace.withServer { place in
      _ = try await fill(place)
      let large = [UInt8](repeating: 7, count: 1 << 20)
      let results = place.data + "/results/large"
      try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
      for name in 0..<64 { try Data(large).write(to: URL(fileURLWithPath: "\(results)/\(name)")) }
      let copy = place.root.path + "/copy"
      // Killed at moments from before the first file to after the last.
      for name in ["lock", "", "/martlet.db", "/results", "/backup.json"] {
        var isCaught = false
        for _ in 0..<20 where !isCaught {
          // Of the copy before, only the mark stays, which says that a folder beside it may go.
          try? FileManager.default.removeItem(atPath: copy + ".partial")
          let making = try place.start(["backup", copy])
          let isThere = copy + ".partial" + (name == "lock" ? ".lock" : name)
          #expect(try await eventually { place.exists(isThere) || place.exists(copy) })
          making.signal(SIGKILL)
          _ = try await making.outcome()
          // Otherwise it was quicker than the signal.
          isCaught = !place.exists(copy)
          if !isCaught { try FileManager.default.removeItem(atPath: copy) }
        }
        #expect(isCaught)
        #expect(place.exists(copy + ".partial.lock"))
      }
      let other = try await place.martlet("backup", "other")
      #expect(other.status == 0, "\(other)")
      #expect(other.errors.contains(copy + ".partial"))
      let outcome = try await place.martlet("backup", copy, "--verify")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors.contains("is removed"))
      #expect(!place.exists(copy + ".partial") && !place.exists(copy + ".partial.lock"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: copy + "/results/large").count == 64)
      #expect(!(try FileManager.default.contentsOfDirectory(atPath: copy)).contains { $0.hasPrefix(".") })
    }
  }

  @Test("Ctrl-C leaves nothing; two at once to one place do not meet")
  func interrupted() async throws {
    try await Workplace.withServer { place in
      let results = place.data + "/results"
      try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
      for name in 0..<200 {
        try Data([UInt8](repeating: 7, count: 1 << 20)).write(to: URL(fileURLWithPath: "\(results)/\(name)"))
      }
      let copy = place.root.path + "/copy"
      let making = try place.start(["backup", copy])
      #expect(try await eventually { place.exists(copy + ".partial/results") || place.exists(copy) })
      let second = try await place.martlet("backup", copy)
      making.signal(SIGINT)
      let outcome = try await making.outcome()
      if outcome.status == 130 {
        #expect(!place.exists(copy) && !place.exists(copy + ".partial"))
        #expect(!place.exists(copy + ".partial.lock"))
      } else {
        // It was done before the signal came.
        #expect(outcome.status == 0, "\(outcome)")
      }
      #expect(second.status == 75 || second.status == 73, "\(second)")
    }
  }

  @Test("doctor finds what is damaged: pages, chunks, files that are gone, shorter, or other ones")
  func damage() async throws {
    try await Workplace.withServer { place in
      _ = try await fill(place)
      let copy = place.root.path + "/copy"
      #expect(try await place.martlet("backup", copy).status == 0)
      #expect(try await place.martlet("down").status == 0)
      let blob = URL(fileURLWithPath: "\(copy)/\(blobName)")
      try Data(Self.blob.reversed()).write(to: blob)
      #expect(try await checks(copy, place, deep: false)["blobs"]?["status"] == "ok")
      #expect(try await checks(copy, place)["blobs"]?["message"]?.string?.contains("other bytes") == true)
      try Data(Self.blob.dropLast()).write(to: blob)
      #expect(
        try await checks(copy, place, deep: false)["blobs"]?["message"]?.string?.contains("19 bytes") == true)
      try FileManager.default.removeItem(at: blob)
      #expect(
        try await checks(copy, place, deep: false)["blobs"]?["message"]?.string?.contains("not there") == true
      )
      // The backup of what is damaged already is made, and says so.
      let again = try await place.martlet("backup", "again", "--data", copy, "--verify")
      #expect(again.status == 1, "\(again)")
      #expect(again.errors.contains("blobs"))
      #expect(place.exists(place.root.path + "/again/backup.json"))

      let database = URL(fileURLWithPath: copy + "/martlet.db")
      let whole = try Data(contentsOf: database)
      var numbers = SeededNumbers(seed: 7)
      var found = 0
      for _ in 0..<8 {
        var damaged = whole
        // A page in the midst is somebody else's.
        let page = Int.random(in: 1..<(whole.count / 4096), using: &numbers)
        for offset in 0..<4096 { damaged[page * 4096 + offset] = UInt8.random(in: 0...255, using: &numbers) }
        try damaged.write(to: database)
        let checks = try await checks(copy, place)
        #expect(checks["backup"] == nil || checks["backup"]?["status"] == "error")
        if checks["database"]?["status"] == "error" { found += 1 }
      }
      #expect(found >= 6, "\(found) of 8")
      try Data("nothing".utf8).write(to: database)
      #expect(try await checks(copy, place)["database"]?["status"] == "error")
    }
  }

  @Test("a disk that is full is said in words, and nothing is left", .enabled(if: Self.canMount))
  func fullDisk() async throws {
    try await Workplace.withServer { place in
      _ = try await fill(place)
      try place.write("data/results/large", String(repeating: "x", count: 3 << 20))
      // A disk of its own (tmpfs) that only this shell sees.
      let script = """
        mount -t tmpfs -o size=2m tmpfs small && '\(Binary.path)' backup small/copy; status=$?; ls -A small; exit $status
        """
      try FileManager.default.createDirectory(
        atPath: place.root.path + "/small", withIntermediateDirectories: true)
      let shell = try Running(
        ["-rm", "sh", "-c", script], environment: ["MARTLET_DATA": place.data, "HOME": place.root.path],
        directory: place.root, program: "/usr/bin/unshare")
      let outcome = try await shell.outcome()
      #expect(outcome.status == 73, "\(outcome)")
      #expect(outcome.errors.contains("free"))
      #expect(outcome.output.isEmpty)
    }
  }

  /// Whether this account may make a name space with mounts of its own.
  private static let canMount: Bool = {
    let process = ChildProcess(
      "/usr/bin/unshare", ["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
      environment: Binary.environment([:]))
    return (try? process.run(within: .seconds(60)))?.isSuccess == true
  }()
}
