// The pool over HTTP: who holds what, who waits and why; places in the line, making room, tries again.

import Foundation
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

/// Holds programs up until it is opened, or gone.
private final class Gate: Sendable {
  private let directory = TemporaryDirectory()

  init() throws {
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
  }

  private var path: String { directory.path + "/open" }
  var wait: String { "while [ -d \(directory.path) ] && [ ! -e \(path) ]; do sleep 0.05; done" }
  func open() { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
}

@Suite(.serialized) struct PoolRouteTests {
  /// - Returns: the run's id.
  private func execute(
    _ server: TestServer, _ script: String, project: String = "digits", _ more: JSONObject = [:]
  ) async throws -> String {
    let body: JSONObject = [
      "project": .string(project), "command": ["/bin/sh", "-c", .string(script)], "workdir": "/tmp",
      "environment": [:], "grace_s": 30,
    ]
    let answer = try await server.post(
      "/api/v1/executions", .object(body.merging(more) { $1 }))
    #expect(answer.status == 201, "\(answer.text)")
    return answer.json["id"]?.string ?? ""
  }

  private func pool(_ server: TestServer, _ query: String = "", token: String? = nil) async throws
    -> JSONValue
  {
    let answer = try await server.get("/api/v1/pool\(query)", token: token)
    #expect(answer.status == 200, "\(answer.text)")
    return answer.json
  }

  private func runs(_ list: JSONValue?) -> [String?] { (list?.array ?? []).map { $0["run"]?.string } }

  private func state(_ server: TestServer, _ run: String) async throws -> String? {
    try await server.get("/api/v1/runs/\(run)").json["state"]?.string
  }

  /// All members that an answer has, and no others, are in its schema.
  private func check(_ value: JSONValue, against name: String) throws {
    let schemas = try #require(OpenAPIDocument(routes: apiRoutes).json["components"]?["schemas"]?.object)
    func check(_ value: JSONValue, _ schema: JSONValue, _ place: String) {
      var schema = schema
      if let choices = schema["anyOf"]?.array {
        guard !value.isNull, let first = choices.first else { return }
        schema = first
      }
      if let reference = schema["$ref"]?.string {
        schema = schemas[String(reference.dropFirst("#/components/schemas/".count))] ?? .null
      }
      if let properties = schema["properties"]?.object, let members = value.object {
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        #expect(required.isSubset(of: members.keys), "\(place)")
        for (key, member) in members {
          guard let inner = properties[key] else {
            Issue.record("\(place).\(key) is in no schema")
            continue
          }
          check(member, inner, "\(place).\(key)")
        }
      }
      for item in value.array ?? [] { check(item, schema["items"] ?? .null, place) }
    }
    check(value, try #require(schemas[name]), name)
  }

  @Test func `devices, holders and those who wait are told with their reasons`() async throws {
    try await TestServer.run {
      $0.pool.devices = .count(2)
    } _: { server in
      let gate = try Gate()
      let holder = try await execute(
        server, gate.wait,
        ["name": "holder", "timeout_s": 600, "resources": ["gpus": 2, "memory": 1_073_741_824]])
      try await eventually("it runs") { try await state(server, holder) == "running" }
      let waiting = try await execute(
        server, "true", project: "other", ["name": "waiter", "gpus": 1, "priority": 3])
      let pool = try await pool(server)
      try check(pool, against: "Pool")
      #expect(pool["totals"]?["free"] == 0)
      #expect(pool["totals"]?["devices"] == 2)
      #expect(pool["totals"]?["waiting"] == 1)
      #expect(runs(pool["running"]) == [holder])
      let holding = try #require(pool["running"]?.array?.first)
      #expect(holding["run_name"] == "holder")
      #expect(holding["devices"] == [0, 1])
      #expect(holding["needs"]?["memory"] == 1_073_741_824)
      let (since, end) = (holding["since"]?.int ?? 0, holding["expected_end"]?.int ?? 0)
      #expect(abs(end - since - 600_000_000) <= 1_000_000)
      for device in pool["devices"]?.array ?? [] {
        #expect(runs(device["holders"]) == [holder])
        #expect(device["standing"] == "open")
        #expect(device["free_at"]?.int == end)
      }
      let entry = try #require(pool["queue"]?.array?.first)
      #expect(entry["run"]?.string == waiting)
      #expect(entry["position"] == 1)
      #expect(entry["priority"] == 3)
      #expect(entry["reason"] == "It needs 1 device: 0 are free and 2 are held.")
      #expect(abs((entry["starts_at"]?.int ?? 0) - end) <= 1_000_000)
      #expect(runs(try await self.pool(server, "?run=\(waiting)")["running"]) == [])
      #expect(runs(try await self.pool(server, "?run=\(waiting)")["queue"]) == [waiting])
      #expect(runs(try await self.pool(server, "?limit=0")["queue"]) == [])
      #expect(try await server.get("/api/v1/pool?run=x").status == 400)
      // Of other projects only what they take is told.
      let bound = try await server.newToken([.read], project: "other")
      let seen = try await self.pool(server, token: bound)
      #expect(runs(seen["running"]) == [nil])
      #expect(seen["running"]?.array?.first?["run_name"]?.isNull == true)
      #expect(runs(seen["queue"]) == [waiting])
      gate.open()
      try await eventually("both ended") { try await state(server, waiting) == "finished" }
      #expect(try await self.pool(server)["totals"]?["free"] == 2)
    }
  }

  @Test func `who waits is moved in the line, who does not is not`() async throws {
    try await TestServer.run {
      $0.pool.devices = .count(1)
    } _: { server in
      let gate = try Gate()
      let holder = try await execute(server, gate.wait, ["gpus": 1])
      try await eventually("it runs") { try await state(server, holder) == "running" }
      var waiting: [String] = []
      for _ in 0..<3 { waiting.append(try await execute(server, "true", ["gpus": 1])) }
      func move(_ run: String, _ body: JSONValue, token: String? = nil) async throws -> HTTPAnswer {
        try await server.send("PATCH", "/api/v1/runs/\(run)/queue", body, token: token)
      }
      func line() async throws -> [String?] { runs(try await pool(server)["queue"]) }
      let moved = try await move(waiting[2], ["move": "front"])
      #expect(moved.status == 200, "\(moved.text)")
      #expect(moved.json["position"] == 1)
      try check(moved.json, against: "QueueEntry")
      #expect(try await line() == [waiting[2], waiting[0], waiting[1]])
      #expect(try await move(waiting[2], ["move": "back"]).json["position"] == 3)
      #expect(try await move(waiting[1], ["priority": 2]).json["position"] == 1)
      #expect(try await line() == [waiting[1], waiting[0], waiting[2]])
      for wrong: JSONValue in [[:], ["move": "front", "priority": 1], ["move": "up"], ["priority": 1.5]] {
        #expect(try await move(waiting[0], wrong).status == 422, "\(wrong.text)")
      }
      let refused = try await move(holder, ["move": "front"])
      #expect(refused.status == 409)
      #expect(refused.message == "Run '\(holder)' does not wait: it has what it needs.")
      let reader = try await server.newToken([.write])
      #expect(try await move(waiting[0], ["move": "back"], token: reader).status == 403)
      _ = try await server.newRun("another")
      let stranger = try await server.newToken([.run], project: "another")
      #expect(try await move(waiting[0], ["move": "back"], token: stranger).status == 404)
      let events = try await server.get("/api/v1/runs/\(waiting[1])/events").json["items"]?.array ?? []
      let place = events.first { $0["type"] == "place" }
      #expect(place?["payload"]?["priority"] == 2)
      #expect(place?["by"]?.string == NSUserName())
      gate.open()
      for run in waiting { try await eventually("it ended") { try await state(server, run) == "finished" } }
      #expect(try await move(holder, ["move": "front"]).status == 409)
    }
  }

  @Test func `a run makes room, and another attempt of it follows`() async throws {
    try await TestServer.run {
      $0.pool.devices = .count(1)
    } _: { server in
      let gate = try Gate()
      let run = try await execute(server, gate.wait, ["gpus": 1])
      try await eventually("it runs") { try await state(server, run) == "running" }
      let next = try await execute(server, gate.wait, ["gpus": 1])
      let path = "/api/v1/runs/\(run)/preempt"
      let asked = try await server.post(path, ["keep_place": false])
      #expect(asked.status == 202, "\(asked.text)")
      try await eventually("the other runs") { try await state(server, next) == "running" }
      let attempts = try await server.get("/api/v1/runs/\(run)/attempts").json["items"]?.array ?? []
      #expect(attempts.map { $0["state"] } == ["preempted", "queued"])
      let (room, kill) = (attempts[0]["room_requested_at"]?.int ?? 0, attempts[0]["kill_at"]?.int ?? 0)
      #expect(kill - room == 30_000_000)
      #expect(attempts[0]["stop_requested_at"]?.isNull == true)
      #expect(attempts[1]["kill_at"]?.isNull == true)
      let waits = try await server.post(path, [:])
      #expect(waits.status == 409)
      #expect(waits.message == "Run '\(run)' waits: it holds nothing that it could give back.")
      let events = try await server.get("/api/v1/runs/\(run)/events").json["items"]?.array ?? []
      #expect(events.first { $0["type"] == "roomRequested" }?["by"]?.string == NSUserName())
      gate.open()
      try await eventually("it ended") { try await state(server, run) == "finished" }
      #expect(try await server.post(path, [:]).message?.contains("has ended already") == true)
      let outside = try await server.post("/api/v1/runs", ["project": "p"])
      #expect(
        try await server.post("/api/v1/runs/\(outside.json["id"]?.string ?? "")/preempt", [:]).status == 409)
    }
  }

  @Test func `a command is tried again as often as it asks for`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
      let script = "[ -e \(directory.path)/again ] || { touch \(directory.path)/again; exit 3; }"
      let run = try await execute(server, script, ["retries": ["failure": 1], "retry_pause": 0])
      try await eventually("it succeeded") { try await state(server, run) == "finished" }
      let attempts = try await server.get("/api/v1/runs/\(run)/attempts").json["items"]?.array ?? []
      #expect(attempts.map { $0["state"] } == ["failed", "finished"])
      for wrong: JSONObject in [
        ["resources": ["gpu": 1]], ["resources": ["gpus": -1]], ["resources": ["gpus": 1]],
        ["retries": ["faliure": 1]], ["retries": -1], ["retry_pause": -1], ["priority": 1e12],
        ["resources": ["gpus": 0], "gpus": 1], ["resources": ["memory": 0]],
      ] {
        let body: JSONObject = ["command": ["true"], "workdir": "/tmp"]
        let answer = try await server.post("/api/v1/executions", .object(body.merging(wrong) { $1 }))
        #expect(answer.status == 422, "\(JSONValue.object(wrong).text): \(answer.text)")
      }
    }
  }

  @Test func `the live feed tells the pool, and again when it is another`() async throws {
    try await TestServer.run {
      $0.pool.devices = .count(1)
    } _: { server in
      let subscribe: JSONObject = ["type": "subscribe", "id": 8, "topic": "pool"]
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send(.object(subscribe.merging(["snapshot": true]) { $1 }))
      let subscribed = try await socket.message("subscribed")
      let first = try await socket.message("pool")
      try check(try #require(first["pool"]), against: "Pool")
      #expect(first["pool"]?["totals"]?["running"] == 0)
      #expect(try await socket.message("snapshot")["id"] == 8)
      let gate = try Gate()
      let run = try await execute(server, gate.wait, ["gpus": 1])
      var last: JSONValue = nil
      while last["pool"]?["running"]?.array?.first?["state"] != "running" {
        last = try await socket.message("pool")
      }
      #expect(runs(last["pool"]?["running"]) == [run])
      #expect(last["seq"]?.int ?? 0 > first["seq"]?.int ?? 0)
      socket.socket.hangUp()
      gate.open()
      try await eventually("it ended") { try await state(server, run) == "finished" }
      let again = try await WebSocketClient(server, token: server.token)
      let place: JSONObject = ["since": last["seq"] ?? nil, "epoch": subscribed["epoch"] ?? nil]
      try await again.send(.object(subscribe.merging(place) { $1 }))
      #expect(try await again.message("subscribed")["resumed"] == true)
      var missed = try await again.message("pool")
      while missed["pool"]?["totals"]?["running"] != 0 { missed = try await again.message("pool") }
    }
  }
}
