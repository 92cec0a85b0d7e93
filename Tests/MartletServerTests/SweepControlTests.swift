// Sweeps paused, taken up again and changed while they run; one trial stopped.

import Foundation
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct SweepControlTests {
  /// Six trials, of which each waits for a file of its own number in a directory, or for the directory's end.
  private struct Trials {
    let server: TestServer
    let directory = TemporaryDirectory()
    var sweep = ""

    init(_ server: TestServer, _ keys: String) async throws {
      self.server = server
      try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
      let wait =
        "while [ -d \(directory.path) ] && [ ! -e \(directory.path)/$MARTLET_TRIAL_ID ]; do sleep 0.05; done"
      let source = """
        name: six
        method: grid
        parameters: {x: {values: [1, 2, 3, 4, 5, 6]}}
        command: [/bin/sh, -c, "\(wait)"]
        \(keys)
        """
      let answer = try await server.post(
        "/api/v1/sweeps",
        [
          "source": .string(source), "workdir": "/tmp", "environment": [:],
          "output": .string(directory.path + "/out"),
        ])
      #expect(answer.status == 201, "\(answer.text)")
      sweep = answer.json["id"]?.string ?? ""
    }

    func end(_ trials: ClosedRange<Int>) {
      for number in trials {
        #expect(FileManager.default.createFile(atPath: "\(directory.path)/\(number)", contents: nil))
      }
    }

    var row: JSONValue {
      get async throws { try await server.get("/api/v1/sweeps/\(sweep)").json }
    }

    var states: [String?] {
      get async throws {
        try await server.get("/api/v1/sweeps/\(sweep)/trials").json["items"]?.array?
          .map { $0["state"]?.string } ?? []
      }
    }

    func post(_ what: String, _ body: JSONValue = [:], token: String? = nil) async throws -> HTTPAnswer {
      try await server.post("/api/v1/sweeps/\(sweep)/\(what)", body, token: token)
    }

    func patch(_ body: JSONValue, token: String? = nil) async throws -> HTTPAnswer {
      try await server.send("PATCH", "/api/v1/sweeps/\(sweep)", body, token: token)
    }
  }

  @Test func `a paused sweep makes no more trials until it is resumed`() async throws {
    try await TestServer.run { server in
      let trials = try await Trials(server, "max_parallel: 2")
      try await eventually("two run") { try await trials.states == ["running", "running"] }
      let paused = try await trials.post("pause")
      #expect(paused.status == 200, "\(paused.text)")
      #expect(paused.json["state"] == "paused")
      #expect(paused.json["state_reason"]?.string == "Paused by \(NSUserName()).")
      let twice = try await trials.post("pause")
      #expect(twice.status == 409)
      #expect(twice.message == "Sweep '\(trials.sweep)' is paused already.")
      trials.end(0...1)
      try await eventually("they ended") { try await trials.states == ["complete", "complete"] }
      #expect(try await trials.row["state"] == "paused")
      #expect(try await trials.post("resume").json["state"] == "running")
      #expect(try await trials.post("resume").status == 409)
      try await eventually("it goes on") { try await trials.states.count == 4 }
      trials.end(2...5)
      try await eventually("it ended") { try await trials.row["state"] == "finished" }
      let over = try await trials.post("pause")
      #expect(over.status == 409)
      #expect(over.message == "Sweep '\(trials.sweep)' has ended already.")
    }
  }

  @Test func `more at a time, another priority and another time limit hold from now on`() async throws {
    try await TestServer.run {
      $0.pool.devices = .count(1)
    } _: { server in
      let trials = try await Trials(
        server, "max_parallel: 2\ntimeout: 600\npriority: 1\nresources: {gpus: 1}")
      try await eventually("one runs, one waits") { try await trials.states == ["running", "waiting"] }
      #expect(try await trials.row["priority"] == 1)
      let changed = try await trials.patch(["max_parallel": 4, "priority": 7, "timeout": 900])
      #expect(changed.status == 200, "\(changed.text)")
      #expect(changed.json["max_parallel"] == 4)
      #expect(changed.json["priority"] == 7)
      #expect(changed.json["timeout"]?.double == 900)
      try await eventually("four are there") { try await trials.states.count == 4 }
      let queue = try await server.get("/api/v1/pool?sweep=\(trials.sweep)").json
      #expect(queue["queue"]?.array?.map { $0["priority"] } == [7, 7, 7])
      #expect(queue["queue"]?.array?.map { $0["trial"] } == [1, 2, 3])
      // What waits is told to begin when the first has taken its 10 minutes, the next 15 minutes later.
      let starts = (queue["queue"]?.array ?? []).compactMap { $0["starts_at"]?.int }
      #expect(starts.count == 3)
      if starts.count == 3 { #expect(abs(starts[1] - starts[0] - 900_000_000) <= 1_000_000) }
      #expect(try await trials.patch(["timeout": nil]).json["timeout"]?.isNull == true)
      #expect(try await trials.patch(["budget": 5]).json["budget"] == 5)
      for wrong: JSONValue in [
        [:], ["budget": 3], ["max_parallel": -1], ["max_parallel": "many"], ["timeout": 0],
        ["priority": "high"], ["seed": 1],
      ] {
        #expect(try await trials.patch(wrong).status == 422, "\(wrong.text)")
      }
      let writer = try await server.newToken([.write])
      #expect(try await trials.patch(["priority": 1], token: writer).status == 403)
      let events = try await server.get("/api/v1/sweeps/\(trials.sweep)/events").json["items"]?.array
      let limits = events?.first { $0["type"] == "limits" }
      #expect(limits?["by"]?.string == NSUserName())
      #expect(limits?["payload"]?["max_parallel"] == ["from": 2, "to": 4])
      #expect(limits?["payload"]?["timeout"]?["from"]?.double == 600)
      #expect(limits?["payload"]?["timeout"]?["to"]?.double == 900)
      trials.end(0...5)
      try await eventually("it ended") { try await trials.row["state"] == "finished" }
      #expect(try await trials.patch(["priority": 1]).status == 409)
    }
  }

  @Test func `one trial is stopped, the others go on`() async throws {
    try await TestServer.run { server in
      let trials = try await Trials(server, "max_parallel: 2\ngrace: 30")
      try await eventually("two run") { try await trials.states == ["running", "running"] }
      let stopped = try await trials.post("trials/1/stop", ["grace_s": 20])
      #expect(stopped.status == 202, "\(stopped.text)")
      #expect(stopped.json["number"] == 1)
      try await eventually("it ended, and another began") {
        let states = try await trials.states
        return states.count == 3 && states[1] == "failed" && states[0] == "running"
      }
      let run = stopped.json["run"]?.string ?? ""
      let attempt = try await server.get("/api/v1/runs/\(run)/attempts").json["items"]?.array?.first
      #expect(attempt?["state"] == "stopped")
      let (asked, kill) = (attempt?["stop_requested_at"]?.int ?? 0, attempt?["kill_at"]?.int ?? 0)
      #expect(kill - asked == 20_000_000)
      let twice = try await trials.post("trials/1/stop")
      #expect(twice.status == 409)
      #expect(twice.message == "Trial 1 of sweep '\(trials.sweep)' has ended already.")
      #expect(try await trials.post("trials/9/stop").status == 404)
      #expect(try await trials.post("trials/x/stop").status == 404)
      trials.end(0...5)
      try await eventually("it ended") { try await trials.row["state"] == "finished" }
    }
  }

  @Test func `a point that the file forbids is refused, not passed over`() async throws {
    try await TestServer.run { server in
      let answer = try await server.post(
        "/api/v1/sweeps",
        [
          "source": """
          method: random
          run_cap: 1
          parameters: {x: {min: 0, max: 9}, y: {min: 0, max: 9}}
          where: x <= y
          command: ["true"]
          """, "workdir": "/tmp",
        ])
      #expect(answer.status == 201, "\(answer.text)")
      let path = "/api/v1/sweeps/\(answer.json["id"]?.string ?? "")"
      try await eventually("it ended") { try await server.get(path).json["state"] == "finished" }
      let refused = try await server.post(path + "/points", ["params": ["x": 5, "y": 4]])
      #expect(refused.status == 422, "\(refused.text)")
      #expect(refused.message?.hasSuffix("may try: it does not meet 'x <= y'.") == true, "\(refused.text)")
      #expect(try await server.get(path).json["budget"] == 1)
    }
  }

  @Test func `the point of a trial is tried again, while the sweep runs and after`() async throws {
    try await TestServer.run { server in
      let trials = try await Trials(server, "max_parallel: 6")
      try await eventually("six run") { try await trials.states.count == 6 }
      let again = try await trials.post("points", ["trial": 2, "times": 2])
      #expect(again.status == 201, "\(again.text)")
      #expect(again.json["budget"] == 8)
      trials.end(0...7)
      try await eventually("it ended") { try await trials.row["state"] == "finished" }
      #expect(try await trials.post("points", ["trial": 5]).json["budget"] == 9)
      trials.end(8...8)
      try await eventually("it ended again") { try await trials.row["state"] == "finished" }
      let items = try await server.get("/api/v1/sweeps/\(trials.sweep)/trials").json["items"]?.array ?? []
      #expect(items.map { $0["params"]?["x"] } == [1, 2, 3, 4, 5, 6, 3, 3, 6])
      for wrong: JSONValue in [
        ["trial": 1, "params": ["x": 1]], ["params": ["x": 1], "times": 2], ["trial": 1, "times": 0],
        ["trial": -1], ["trial": "best"], [:],
      ] {
        #expect(try await trials.post("points", wrong).status == 422, "\(wrong.text)")
      }
      let none = try await trials.post("points", ["trial": 40])
      #expect(none.status == 404)
      #expect(none.message == "Sweep '\(trials.sweep)' has no trial 40.")
      let writer = try await server.newToken([.write])
      #expect(try await trials.post("points", ["trial": 0], token: writer).status == 403)
    }
  }
}
