// `martlet sync`: what spools hold arrives, once, whoever sends it and however often.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@Suite("sync", .serialized)
struct SyncTests {
  static let clients = (1...9).map { String(repeating: String($0), count: 32) }

  /// A spool of a run that was kept offline.
  func offline(
    _ place: Workplace, client: String, name: String = "kept", folder: String = "offline-abcd"
  ) -> SpoolWriter {
    SpoolWriter(
      in: place.root.path + "/spools/\(folder)", client: client,
      first: [
        "create": ["project": "p", "name": .string(name), "config": ["lr": 0.5]], "local": .string(folder),
      ])
  }

  func fill(_ spool: inout SpoolWriter, rows: Range<Int>) {
    for row in rows { spool.points([(0, Double(row)), (1, row == 3 ? .nan : 0.5)], step: Int64(row)) }
  }

  func sync(_ place: Workplace, _ options: String...) async throws -> (
    status: Int32, reports: [JSONValue]
  ) {
    let outcome = try await place.martlet(["sync", "--format", "json"] + options)
    guard outcome.output.hasPrefix("[") else { throw Unexpected("\(outcome)") }
    return (outcome.status, try JSONValue.parse(outcome.output).array ?? [])
  }

  @Test("an offline run is made, filled and ended; its spool goes; a second time there is nothing to do")
  func offlineRun() async throws {
    try await Workplace.withServer { place in
      var spool = offline(place, client: Self.clients[0])
      spool.info(["names": ["loss": 0, "acc": 1], "config": ["seed": 7], "patch": ["tags": ["x"]]])
      fill(&spool, rows: 0..<50_000)
      spool.row(["note": "a \"b\" ✓", "many": [1, 2]], step: 50_000)
      spool.info(["names": ["lr": 2], "config": ["model": ["depth": 3]]])
      spool.points([(2, 1e-3)], step: 50_001)
      spool.end(["exit_code": 3, "reason": "It broke."])
      try spool.save()
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 0)
      let report = try #require(reports.first)
      #expect(report["state"] == "sent")
      #expect(report["rows"] == 50_002)
      let run = try await place.json("run", "show", "kept")
      #expect(run["id"] == report["run"])
      #expect(run["state"] == "failed")
      #expect(run["exit"]?["reason"] == "It broke.")
      #expect(run["config"] == ["lr": 0.5, "seed": 7, "model": ["depth": 3]])
      #expect(run["tags"] == ["x"])
      #expect(run["points"]?.int == 100_001)
      #expect(run["summary"]?["acc"]?["nan_count"] == 1)
      #expect(run["summary"]?["lr"]?["last"]?.double == 1e-3)
      let rows = try await place.history(run["id"]?.string ?? "")
      #expect(rows.map { $0["step"]?.int } == Array(0...50_001))
      #expect(rows[50_000]["values"] == ["note": "a \"b\" ✓", "many": [1, 2]])
      #expect(!place.exists(spool.directory))
      let again = try await sync(place, "spools")
      #expect(again.status == 0 && again.reports.isEmpty)
    }
  }

  @Test("in a table for people, with what is left to send by default")
  func words() async throws {
    try await Workplace.withServer { place in
      let nothing = try await place.martlet("sync")
      #expect(nothing.status == 0 && nothing.errors.contains("nothing is left"), "\(nothing)")
      var spool = SpoolWriter(
        in: place.root.path + "/.martlet-client/spool/offline-x", client: Self.clients[0],
        first: ["create": ["project": "p", "name": "kept"], "local": "offline-x"])
      spool.info(["names": ["loss": 0, "acc": 1]])
      fill(&spool, rows: 0..<3)
      try spool.save()
      let outcome = try await place.martlet("sync")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.lines.count == 2)
      #expect(outcome.lines[1].contains("sent"))
      // No end was written: the program is gone without a word.
      #expect(try await place.json("run", "show", "kept")["state"] == "crashed")
    }
  }

  @Test("clients of one offline run share the run that is made of it; a forked one does not end it")
  func shared() async throws {
    try await Workplace.withServer { place in
      for (index, client) in Self.clients.prefix(3).enumerated() {
        var spool = SpoolWriter(
          in: place.root.path + "/spools/offline-1", client: client,
          first: [
            "create": ["project": "p", "name": "shared"], "local": "offline-1", "finish": .bool(index == 0),
          ])
        spool.info(["names": ["loss": 0, "acc": 1]])
        fill(&spool, rows: 0..<10)
        if index == 0 { spool.end(["exit_code": 0]) }
        try spool.save()
      }
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 0)
      #expect(Set(reports.map { $0["run"] }).count == 1)
      let run = try await place.json("run", "show", "shared")
      #expect(run["points"] == 60)
      #expect(run["state"] == "finished")
      #expect(try await place.json("run", "list").array?.count == 1)
    }
  }

  @Test("killed at any moment and begun again, every row arrives, and none twice")
  func killed() async throws {
    try await Workplace.withServer { place in
      var spool = offline(place, client: Self.clients[0])
      spool.info(["names": ["loss": 0, "acc": 1]])
      fill(&spool, rows: 0..<60_000)
      spool.end([:])
      try spool.save()
      var numbers = SeededNumbers(seed: 11)
      for _ in 0..<8 where place.exists(spool.path) {
        let sending = try place.start(["sync", "spools"])
        try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &numbers)))
        sending.signal(SIGKILL)
        _ = try await sending.outcome()
      }
      #expect(try await sync(place, "spools").status == 0)
      #expect(!place.exists(spool.path))
      let runs = try #require(try await place.json("run", "list").array)
      #expect(runs.count == 1)
      let steps = try await place.history(runs[0]["id"]?.string ?? "").map { $0["step"]?.int ?? -1 }
      #expect(steps == Array(0..<60_000))
    }
  }

  @Test("a server that has less than was noted gets the rest again; one that has more takes nothing twice")
  func otherServer() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      for noted in [40, 0] {
        var spool = SpoolWriter(
          in: place.root.path + "/spools", client: Self.clients[0], first: ["run": .string(run)])
        spool.info(["names": ["loss": 0, "acc": 1]])
        fill(&spool, rows: 0..<60)
        spool.end([:])
        try spool.save()
        try place.write("spools/\(spool.client).ack", #"{"next_seq": \#(noted), "offset": 0}"#)
        #expect(try await sync(place, "spools").status == 0)
        #expect(try await place.history(run).map { $0["step"]?.int } == Array(0..<60))
      }
    }
  }

  @Test("without a server everything stays, and status is 1; wrong arguments are said")
  func noServer() async throws {
    try await Workplace.with { place in
      var spool = offline(place, client: Self.clients[0])
      spool.info(["names": ["loss": 0, "acc": 1]])
      fill(&spool, rows: 0..<3)
      try spool.save()
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 1)
      #expect(reports.first?["message"]?.string?.contains("martlet up") == true)
      #expect(place.exists(spool.path))
      let silent = try await sync(place, "spools", "--url", "http://127.0.0.1:1", "--wait", "0")
      #expect(silent.status == 1)
      #expect(try await place.martlet("sync", "nowhere").status == 66)
      #expect(try await place.martlet("sync", "--wait", "-1").status == 64)
    }
  }

  @Test("a token goes to no address that only a file names")
  func elsewhere() async throws {
    try await Workplace.withServer { place in
      var spool = SpoolWriter(
        in: place.root.path + "/spools", client: Self.clients[0],
        first: ["run": "abcdefgh", "url": "https://collector.example.org"])
      spool.end([:])
      try spool.save()
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 1)
      #expect(reports.first?["message"]?.string?.contains("--url https://collector.example.org") == true)
      #expect(place.exists(spool.path))
    }
  }

  @Test("a run that was taken up again is not ended by what an earlier start of it left")
  func successor() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      var pid: Int64 = 1
      // The first is gone, with a number that no system gives; the second lives as long as this test, by its own.
      for client in Self.clients.prefix(2) {
        var spool = SpoolWriter(
          in: place.root.path + "/spools", client: client,
          first: ["run": .string(run), "lock": false, "pid": .int(pid == 1 ? 5_000_000 : pid)])
        spool.info(["names": ["loss": 0, "acc": 1]])
        fill(&spool, rows: 0..<3)
        try spool.save()
        pid = Int64(getpid())
      }
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 0)
      #expect(reports.map { $0["state"]?.string } == ["sent", "running"])
      #expect(try await place.json("run", "show", run)["state"] == "running")
      #expect(try await place.json("run", "show", run)["points"] == 12)
    }
  }

  /// A trainer that logs `rows` rows, waits for a file, and logs as many more.
  private func trainer(_ mode: String, rows: Int = 100) -> String {
    """
    import martlet, os, time
    run = martlet.init(project="p", name="live", mode="\(mode)", config={"lr": 0.5})
    for i in range(\(rows)): run.log({"loss": i, "note": str(i)})
    print("logged", flush=True)
    while not os.path.exists("go"): time.sleep(0.02)
    for i in range(\(rows)): run.log({"loss": \(rows) + i})
    run.finish()
    """
  }

  @Test("a program that still runs: what it has logged arrives now, the rest later, its run goes on")
  func live() async throws {
    try await Workplace.withServer { place in
      let program = try place.startPython(trainer("offline"))
      #expect(try await eventually { program.outputSoFar.contains("logged") })
      for _ in 0..<2 {
        let (status, reports) = try await sync(place, ".martlet-client")
        #expect(status == 0)
        #expect(reports.first?["state"] == "running", "\(reports)")
        let run = try await place.json("run", "show", "live")
        #expect(run["points"] == 100)
        #expect(run["state"] == "running")
      }
      try place.write("go", "")
      #expect(try await program.outcome().status == 0)
      let (status, reports) = try await sync(place, ".martlet-client")
      #expect(status == 0)
      #expect(reports.first?["state"] == "sent")
      let run = try await place.json("run", "show", "live")
      #expect(run["state"] == "finished")
      #expect(
        try await place.history(run["id"]?.string ?? "").map { $0["values"]?["loss"]?.double }
          == (0..<200).map(Double.init))
    }
  }

  @Test("followed, a program is sent until it ends")
  func followed() async throws {
    try await Workplace.withServer { place in
      let program = try place.startPython(trainer("offline"))
      #expect(try await eventually { program.outputSoFar.contains("logged") })
      let following = try place.start(["sync", "--follow", ".martlet-client", "--format", "json"])
      #expect(
        try await eventually {
          try await place.json("run", "list").array?.first?["points"]?.int == 100
        })
      try place.write("go", "")
      #expect(try await program.outcome().status == 0)
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try JSONValue.parse(outcome.output).array?.first?["rows"] == 200)
      #expect(try await place.json("run", "show", "live")["state"] == "finished")
      #expect(try await place.json("run", "show", "live")["points"] == 200)
    }
  }

  @Test("a spool whose own sender is at it is left to that one; when it is killed, a follower takes over")
  func ownSender() async throws {
    try await Workplace.withServer { place in
      let program = try place.startPython(trainer("online"))
      // What has arrived, its sender has sent: it is there.
      #expect(
        try await eventually { try await place.json("run", "list").array?.first?["points"]?.int == 100 })
      let (status, reports) = try await sync(place, ".martlet-client")
      #expect(status == 0)
      #expect(reports.first?["state"] == "elsewhere", "\(reports)")
      let words = try #require(reports.first?["message"]?.string)
      let sender = try #require(words.split(separator: " ").last.flatMap { Int32($0.dropLast()) })
      let following = try place.start(["sync", "--follow", ".martlet-client", "--format", "json"])
      kill(sender, SIGKILL)
      try place.write("go", "")
      #expect(try await program.outcome().status == 0)
      #expect(try await following.outcome().status == 0)
      #expect(try await eventually { try await place.json("run", "show", "live")["state"] == "finished" })
      let run = try await place.json("run", "show", "live")["id"]?.string ?? ""
      #expect(
        try await place.history(run).map { $0["values"]?["loss"]?.double } == (0..<200).map(Double.init))
    }
  }

  @Test("a key of the configuration is replaced whole: as it runs, resumed, offline, and read by the server")
  func configuration() async throws {
    try await Workplace.withServer { place in
      let first = """
        import martlet, os
        run = martlet.init(project="p", id="x", resume="allow", config={"keep": {"k": 1}, "net": {"a": 1, "b": 2}})
        run.config.update({"net": {"b": 3}, "opt": {"lr": 1, "beta": 2}})
        run.config.opt = {"lr": 2}
        assert run.config.as_dict() == {"keep": {"k": 1}, "net": {"b": 3}, "opt": {"lr": 2}}, run.config
        run.log({"loss": 1})
        """
      let again = """
        import martlet
        run = martlet.init(project="p", id="x", resume="allow", config={"net": {"c": {"d": 4}}})
        run.log({"loss": 1})
        """
      for mode in ["online", "offline"] {
        let variables = ["MARTLET_MODE": mode, "HOME": "\(place.root.path)/\(mode)"]
        func send() async throws {
          let sent = try await place.martlet("sync", mode)
          #expect(mode == "online" || sent.status == 0, "\(sent)")
        }
        try FileManager.default.createDirectory(
          atPath: "\(place.root.path)/\(mode)", withIntermediateDirectories: true)
        let expected: [JSONValue] = [["b": 3], ["c": ["d": 4]]]
        for (program, net) in zip([first, again], expected) {
          let outcome = try await place.python(program, environment: variables)
          #expect(outcome.status == 0, "\(outcome)")
          try await send()
          let run = try #require(try await place.json("run", "list").array?.first)
          #expect(run["config"] == ["keep": ["k": 1], "net": net, "opt": ["lr": 2]], "\(mode)")
        }
        let run = try #require(try await place.json("run", "list").array?.first?["id"]?.string)
        try await place.api("DELETE", "/runs/\(run)?purge=true")
      }
    }
  }

  @Test("it is the same in effect as the Python client's own sync")
  func sameAsPython() async throws {
    try await Workplace.withServer { place in
      let program = """
        import martlet, math, os, sys
        run = martlet.init(project="p", name=os.environ["NAME"], mode="offline", tags=["t"], config={"a": {"b": 1}})
        print("printed")
        open("kept.txt", "w").write("kept")
        open("late.txt", "w").write("soon")
        run.save("kept.txt")
        run.save("late.txt", policy="end")
        run.alert("careful", level="warn")
        for i in range(300):
            run.log({"loss": 1 / (i + 1), "nan": math.nan, "text": str(i), "many": [i, i]}, step=i * 3)
        run.config.update({"c": 2, "d": {"e": 1, "f": 2}})
        run.config.update({"d": {"f": {"g": 3}}})
        run.define_metric("loss", goal="minimize", summary="best")
        run.summary["verdict"] = "good"
        run.log({"picture": martlet.Image(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(2000)), "spread": martlet.Histogram([1, 2, 2])})
        run.log({"late": 1})
        run.finish(exit_code=1)
        """
      for name in ["swift", "python"] {
        let home = ["NAME": name, "HOME": "\(place.root.path)/\(name)"]
        let outcome = try await place.python(program, environment: home)
        #expect(outcome.status == 0, "\(outcome)")
      }
      #expect(try await sync(place, "swift").status == 0)
      let other = try Running(
        ["python3", "-m", "martlet", "sync", "\(place.root.path)/python"],
        environment: [
          "MARTLET_DATA": place.data, "HOME": place.root.path, "PYTHONPATH": Workplace.pythonClient,
        ],
        directory: place.root, program: "/usr/bin/env")
      let outcome = try await other.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      func shown(_ name: String) async throws -> (run: JSONValue, rows: [JSONValue]) {
        let run = try await place.json("run", "show", name)
        let rows = try await place.history(run["id"]?.string ?? "")
        return (run, rows.map { ["step": $0["step"] ?? nil, "values": $0["values"] ?? nil] })
      }
      let (mine, theirs) = (try await shown("swift"), try await shown("python"))
      // NaN differs from itself: texts are compared.
      #expect(mine.rows.map(\.text) == theirs.rows.map(\.text))
      #expect(mine.rows.count == 302)
      let blob = try #require(mine.rows[300]["values"]?["picture"]?["blob"]?.string)
      for run in [mine.run, theirs.run] {
        let answer = try await place.request(
          "GET", "/api/v1/runs/\(run["id"]?.string ?? "")/blobs/\(blob)", token: place.token)
        #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
      }
      for run in [mine.run, theirs.run] {
        let path = "/runs/\(run["id"]?.string ?? "")"
        let files = try await place.api("GET", "\(path)/files")["items"]?.array ?? []
        let names = files.compactMap { $0["path"]?.string }
        #expect(Set(names).isSuperset(of: ["kept.txt", "late.txt", "requirements.txt"]), "\(names)")
        #expect(try await place.api("GET", path)["environment"]?["python"]?["version"] != nil)
        let alerts = try await place.api("GET", "\(path)/alerts")["items"]?.array ?? []
        #expect(alerts.contains { $0["title"] == "careful" })
      }
      for member in [
        "state", "config", "metrics", "tags", "points", "last_step", "exit", "git", "python", "host",
        "command",
      ] {
        #expect(
          mine.run[member]?.text.replacing("swift", with: "python") == theirs.run[member]?.text, "\(member)")
      }
      for folder in ["swift", "python"] {
        let left = FileManager.default.enumerator(atPath: "\(place.root.path)/\(folder)")?.compactMap {
          $0 as? String
        }
        #expect(
          left?.contains {
            $0.contains("blobs") || $0.contains(".console.") || $0.hasSuffix(".seen")
              || $0.hasSuffix(".spool") || $0.hasSuffix(".sender") || $0.hasSuffix(".run")
          }
            == false)
      }
    }
  }
}
