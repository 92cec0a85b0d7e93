// The live feed over real sockets: snapshots, coming back, and who does not read.

import MartletModel
import MartletOrchestration
import MartletSeries
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct LiveSnapshotTests {
  /// Runs of the project "digits", made in one transaction.
  private func newRuns(_ count: Int, _ server: TestServer) async throws -> [PublicID] {
    let engine = try server.engine
    let principal = engine.localPrincipal
    return try await engine.store.write { writer in
      try (0..<count).map { number in
        try writer.createExternalRun(
          project: "digits", name: "run \(number)", RunPatch(), by: principal, now: SystemClock().now
        ).id
      }
    }
  }

  private func connect(_ server: TestServer) async throws -> WebSocketClient {
    let socket = try await WebSocketClient(server, token: server.token)
    _ = try await socket.message("ready")
    return socket
  }

  /// The runs of a snapshot up to its end, in order. News of a run's creation may come late, and tell of it again.
  private func snapshot(_ socket: WebSocketClient) async throws -> (ids: [String], end: JSONValue) {
    var ids: OrderedSet<String> = []
    while true {
      let message = try await socket.message("run", "snapshot")
      guard let id = message["run"]?["id"]?.string else { return (Array(ids), message) }
      ids.append(id)
    }
  }

  @Test func `a snapshot names every run, newest first, and then says that it is whole`() async throws {
    try await TestServer.run { server in
      let runs = try await newRuns(450, server)
      _ = try await server.newRun("letters")
      let socket = try await connect(server)
      try await socket.send(
        ["type": "subscribe", "id": 1, "topic": "runs", "project": "digits", "snapshot": true])
      let subscribed = try await socket.message("subscribed")
      #expect(subscribed["resumed"] == false)
      let (ids, end) = try await snapshot(socket)
      #expect(ids == runs.reversed().map(\.rawValue))
      #expect(end["id"] == 1)
      #expect(end["seq"] == subscribed["seq"])
      // Of one run, of a sweep and of points as well.
      let id = JSONValue.string(runs[7].rawValue)
      try await socket.send(["type": "subscribe", "id": 2, "topic": "run", "run": id, "snapshot": true])
      #expect(try await snapshot(socket).ids == [runs[7].rawValue])
      try await socket.send(
        ["type": "subscribe", "id": 3, "topic": "points", "runs": [id], "snapshot": true])
      #expect(try await socket.message("changed")["runs"] == [id])
      #expect(try await socket.message("snapshot")["id"] == 3)
      try await socket.send(["type": "subscribe", "id": 4, "topic": "sweeps", "snapshot": true])
      #expect(try await socket.message("snapshot", "sweep")["id"] == 4)
    }
  }

  @Test func `a sweep's snapshot is its row and all trials; what is missed of it comes without the others`()
    async throws
  {
    try await TestServer.run { server in
      let sweep = try await server.post(
        "/api/v1/sweeps",
        [
          "source": "command: [/bin/true]\nmethod: grid\nname: s\nparameters: {x: {values: [1, 2, 3]}}\n",
          "project": "digits", "workdir": "/tmp", "output": .string(server.data + "/out"),
        ])
      #expect(sweep.status == 201)
      let id = try #require(sweep.json["id"]?.string)
      try await eventually("the sweep's end") {
        try await server.get("/api/v1/sweeps/\(id)").json["state"] == "finished"
      }
      let subscribe: JSONObject = [
        "type": "subscribe", "id": 1, "topic": "sweep", "sweep": .string(id), "snapshot": true,
      ]
      let first = try await connect(server)
      try await first.send(.object(subscribe))
      let subscribed = try await first.message("subscribed")
      let told = try await first.message("sweep")
      #expect(told["sweep"]?["state"] == "finished")
      #expect(told["trials"]?.array?.compactMap { $0["number"]?.int } == [0, 1, 2])
      let place = try #require(try await first.message("snapshot")["seq"]?.int)
      #expect(.int(place) == subscribed["seq"])
      first.socket.hangUp()
      let sweepID = try #require(PublicID(rawValue: id))
      let feed = try server.engine.tracking.feed
      // The server itself may still be telling of the sweep's end.
      func changedTrials() -> Set<Int64> {
        let changes = feed.changes(after: UInt64(place), epoch: feed.epoch) ?? []
        return Set(
          changes.compactMap { change -> Int64? in
            if case .trial(sweepID, let number) = change.subject { Int64(number) } else { nil }
          })
      }
      try await server.engine.tracking.tell(trials: [sweepID: [1]])
      let before = changedTrials()
      #expect(before.contains(1))
      let again = try await connect(server)
      try await again.send(
        .object(subscribe.merging(["since": .int(place), "epoch": subscribed["epoch"] ?? nil]) { $1 }))
      #expect(try await again.message("subscribed")["resumed"] == true)
      let missed = try await again.message("sweep", "snapshot")
      let numbers = missed["trials"]?.array?.compactMap { $0["number"]?.int } ?? []
      #expect(before.isSubset(of: numbers) && changedTrials().isSuperset(of: numbers))
      #expect(missed["seq"]?.int ?? 0 > place)
    }
  }

  @Test func `who comes back is told what it missed, and nothing else`() async throws {
    try await TestServer.run { server in
      let (own, same) = (try await server.newRun(), try await server.newRun())
      try await server.log(own, [["loss": 1]])
      let first = try await connect(server)
      let points: JSONObject = [
        "type": "subscribe", "id": 2, "topic": "points",
        "runs": [.string(own.rawValue), .string(same.rawValue)],
      ]
      let rows: JSONObject = ["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"]
      try await first.send(.object(rows))
      let began = try await first.message("subscribed")
      try await first.send(.object(points))
      _ = try await first.message("subscribed")
      _ = try await server.send("PATCH", "/api/v1/runs/\(same)", ["notes": "seen"])
      // The row of the logged run may be told as well.
      var seen = began["seq"]?.int ?? 0
      while true {
        let told = try await first.message("run")
        seen = told["seq"]?.int ?? seen
        if told["run"]?["notes"] == "seen" { break }
      }
      first.socket.hangUp()

      // While nobody is there: a change, a deletion, points, and a run of another project.
      let gone = try await server.newRun()
      _ = try await server.send("PATCH", "/api/v1/runs/\(same)", ["notes": "missed"])
      _ = try await server.request("DELETE", "/api/v1/runs/\(gone)?purge=true", token: server.token)
      try await server.log(own, from: 1, [["loss": 2]])
      _ = try await server.newRun("letters")
      // The run's row follows its points.
      let feed = try server.engine.tracking.feed
      try await eventually("the row of the logged run is noted") {
        let changes = feed.changes(after: UInt64(seen), epoch: feed.epoch) ?? []
        return changes.contains { $0.subject == .run(own) }
      }
      let back = try await connect(server)
      let since: JSONObject = ["since": .int(seen), "epoch": began["epoch"] ?? nil]
      try await back.send(.object(rows.merging(since) { $1 }))
      let resumed = try await back.message("subscribed")
      #expect(resumed["resumed"] == true)
      #expect(resumed["seq"]?.int == seen)
      var notes: [String: String] = [:]
      var deleted: [String] = []
      var last = seen
      while notes.count < 2 || deleted.isEmpty {
        let told = try await back.message("run", "deleted")
        let sequence = try #require(told["seq"]?.int)
        #expect(sequence > last)
        last = sequence
        if let run = told["run"]?["id"]?.string {
          notes[run] = told["run"]?["notes"]?.string
        } else if let run = told["run"]?.string {
          deleted.append(run)
        }
      }
      #expect(notes == [own.rawValue: "", same.rawValue: "missed"])
      #expect(deleted == [gone.rawValue])
      try await back.send(.object(points.merging(since) { $1 }))
      #expect(try await back.message("changed")["runs"] == [.string(own.rawValue)])
      #expect(try await back.message("told")["seq"]?.int ?? 0 > seen)

      // A number from another start, or one that never was, begins anew.
      for wrong: JSONObject in [
        ["since": 1, "epoch": "elsewhere"], ["since": 1_000_000, "epoch": began["epoch"] ?? nil],
      ] {
        let lost = try await connect(server)
        try await lost.send(.object(rows.merging(wrong) { $1 }))
        #expect(try await lost.message("subscribed")["resumed"] == false)
        #expect(try await lost.message("reset")["id"] == 1)
      }
    }
  }

  /// One of many runs whose points are watched went meanwhile: the others are gone on with.
  @Test func `runs that were purged or moved end no subscription to points that is gone on with`()
    async throws
  {
    try await TestServer.run { server in
      let (purged, moved, kept) = (
        try await server.newRun(), try await server.newRun(), try await server.newRun()
      )
      let token = try await server.newToken([.read], project: "digits")
      func connect() async throws -> WebSocketClient {
        let socket = try await WebSocketClient(server, token: token)
        _ = try await socket.message("ready")
        return socket
      }
      let points: JSONObject = [
        "type": "subscribe", "id": 1, "topic": "points",
        "runs": .array([purged, moved, kept].map { .string($0.rawValue) }),
      ]
      let first = try await connect()
      try await first.send(.object(points))
      let began = try await first.message("subscribed", "error")
      let place: JSONObject = ["since": began["seq"] ?? nil, "epoch": began["epoch"] ?? nil]
      first.socket.hangUp()
      _ = try await server.request("DELETE", "/api/v1/runs/\(purged)?purge=true", token: server.token)
      #expect(try await server.send("PATCH", "/api/v1/runs/\(moved)", ["project": "letters"]).status == 200)
      try await server.log(kept, [["loss": 1]])

      let back = try await connect()
      try await back.send(.object(points.merging(place) { $1 }))
      #expect(try await back.message("subscribed", "error")["resumed"] == true)
      var gone: Set<String> = []
      var changed: [JSONValue] = []
      var last = try #require(began["seq"]?.int)
      while gone.count < 2 || last == began["seq"]?.int {
        let told = try await back.message("deleted", "changed", "told")
        switch told["type"] {
        case "deleted":
          #expect(told["seq"] == 0)
          gone.insert(try #require(told["run"]?.string))
        case "changed": changed += told["runs"]?.array ?? []
        default: last = try #require(told["seq"]?.int)
        }
      }
      #expect(gone == [purged.rawValue, moved.rawValue])
      #expect(changed == [.string(kept.rawValue)])
      // What happens to the moved run from here on is not this token's to hear.
      try await server.log(moved, [["loss": 2]])
      try await server.log(kept, from: 1, [["loss": 3]])
      #expect(try await back.message("names")["runs"] == ["0": .string(kept.rawValue)])
      // Without a place to go on from, what is named must be there.
      let anew = try await connect()
      try await anew.send(.object(points))
      #expect(try await anew.message("subscribed", "error")["error"]?["code"] == "notFound")
    }
  }

  @Test func `after a restart who comes back begins anew, with a snapshot`() async throws {
    let directory = TemporaryDirectory()
    var (place, runs): (JSONObject, [PublicID]) = ([:], [])
    try await TestServer.run(in: directory) { server in
      runs = try await newRuns(3, server)
      let socket = try await connect(server)
      try await socket.send(["type": "subscribe", "id": 1, "topic": "runs"])
      let subscribed = try await socket.message("subscribed")
      place = ["since": subscribed["seq"] ?? nil, "epoch": subscribed["epoch"] ?? nil]
    }
    try await TestServer.run(in: directory) { server in
      let socket = try await connect(server)
      let subscribe: JSONObject = ["type": "subscribe", "id": 1, "topic": "runs", "snapshot": true]
      try await socket.send(.object(subscribe.merging(place) { $1 }))
      let subscribed = try await socket.message("subscribed")
      #expect(subscribed["resumed"] == false)
      #expect(subscribed["epoch"] != place["epoch"])
      _ = try await socket.message("reset")
      #expect(try await snapshot(socket).ids == runs.reversed().map(\.rawValue))
    }
  }

  /// All rows that wait become newer than the oldest that is to be read, and wait for it: nothing can be told at first.
  @Test func `more rows than may wait change twice between two messages, and all of them are told`()
    async throws
  {
    try await TestServer.run { server in
      let runs = try await newRuns(LiveSession.maximumRows + 200, server)
      let socket = try await connect(server)
      try await socket.send(["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"])
      _ = try await socket.message("subscribed")
      let tracking = try server.engine.tracking
      let rows = try await tracking.rows(of: runs)
      let events = runs.compactMap { rows[$0] }.map { FeedEvent.run($0) }
      // A first change is told at once; those that come soon after it wait together.
      tracking.feed.publish([events[0]])
      _ = try await socket.message("run")
      tracking.feed.publish(events + events)
      var told: Set<String> = []
      var last: Int64 = 0
      while told.count < runs.count {
        let message = try await socket.message("run")
        let sequence = try #require(message["seq"]?.int)
        #expect(sequence > last)
        last = sequence
        told.insert(try #require(message["run"]?["id"]?.string))
      }
    }
  }

  /// Ten thousand changes of rows and a million points come while a client reads nothing.
  @Test func `who does not read holds up nobody, and hears of all that is left when it reads again`()
    async throws
  {
    try await TestServer.run { server in
      let runs = try await newRuns(2_000, server)
      let logged = runs[0]
      let slow = try await WebSocketClient(server, token: server.token, receiveBuffer: 4_096)
      try await slow.send(["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"])
      _ = try await slow.message("subscribed")
      try await slow.send(
        ["type": "subscribe", "id": 2, "topic": "points", "runs": [.string(logged.rawValue)]])
      _ = try await slow.message("subscribed")
      let engine = try server.engine
      for round in 0..<5 {
        try await engine.store.write { writer in
          var patch = RunPatch()
          patch.notes = "\(round)"
          for run in runs { try writer.patchRun(run, patch, now: SystemClock().now) }
        }
        for start in stride(from: 0, to: runs.count, by: 100) {
          await engine.tracking.tell(runs: OrderedSet(runs[start..<start + 100]))
        }
        // Each of these ends: who waited for the slow client would wait for ever.
        for part in 0..<20 {
          let first = Int64((20 * round + part) * 10_000)
          let batch = RowBatch(
            firstSequence: first, steps: Array(first..<first + 10_000),
            times: Array(repeating: 1, count: 10_000),
            numbers: [.init(name: "x", rows: .all, values: Array(repeating: 0.5, count: 10_000))])
          let receipt = try await engine.tracking.append(batch, to: logged, client: "client-of-the-test")
          #expect(receipt.accepted == 10_000)
        }
      }
      // It reads again: every run's newest row comes, and that points are to be read.
      var notes: [String: String] = [:]
      var (isChanged, points) = (false, Int64(0))
      while notes.values.filter({ $0 == "4" }).count < runs.count || !isChanged || points < 1_000_000 {
        let told = try await slow.message("run", "changed")
        if told["type"] == "changed" { isChanged = told["runs"] == [.string(logged.rawValue)] }
        guard let run = told["run"], let id = run["id"]?.string else { continue }
        notes[id] = run["notes"]?.string
        if id == logged.rawValue { points = run["points"]?.int ?? 0 }
      }
      #expect(notes.count == runs.count)
    }
  }
}
