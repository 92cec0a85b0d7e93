// What Martlet executes, as the API and the live feed show it.

import Foundation
import MartletModel
import MartletTestSupport
import MartletTracking
import Testing

@testable import MartletServer

/// Holds programs up until it is opened, or gone.
private struct Gate {
  private let directory = TemporaryDirectory()

  init() throws {
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
  }

  private var path: String { directory.path + "/open" }
  /// What a program of the shell waits with.
  var wait: String { "while [ -d \(directory.path) ] && [ ! -e \(path) ]; do sleep 0.05; done" }
  var isOpen: Bool { FileManager.default.fileExists(atPath: path) }

  func open() { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
}

@Suite(.serialized) struct ExecutionTests {
  /// - Parameter end: the state that the script may have come to before the answer was written.
  private func execute(_ server: TestServer, _ script: String, end: String? = nil) async throws -> PublicID {
    let answer = try await server.post(
      "/api/v1/executions",
      [
        "project": "digits", "command": ["/bin/sh", "-c", .string(script)], "workdir": "/tmp",
        "environment": [:],
      ])
    #expect(answer.status == 201, "\(answer.text)")
    // Nothing else waits for its turn, so it may have left the queue already.
    let states = ["queued", "starting", "running"] + [end].compactMap(\.self)
    #expect(states.contains(answer.json["state"]?.string ?? ""))
    return try #require(answer.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
  }

  private func ended(_ server: TestServer, _ run: PublicID) async throws -> JSONValue {
    var last: JSONValue = nil
    try await eventually("the run ended") {
      last = try await server.get("/api/v1/runs/\(run)").json
      return last["exit"]?.isNull == false
    }
    return last
  }

  @Test func `a command runs, and its log can be read and downloaded`() async throws {
    try await TestServer.run { server in
      let run = try await execute(server, "echo one; echo two; echo wrong >&2; exit 3", end: "failed")
      let row = try await ended(server, run)
      #expect(row["state"] == "failed")
      #expect(row["exit"]?["code"] == 3)
      let log = try await server.get("/api/v1/runs/\(run)/logs?stream=stdout")
      #expect(log.json["text"] == "one\ntwo\n")
      #expect(log.json["ended"] == true)
      #expect(try await server.get("/api/v1/runs/\(run)/logs?offset=4&limit=3").json["offset"] == 4)
      for query in ["stream=stdin", "limit=0", "limit=4194305", "attempt=0", "offset=x"] {
        #expect(try await server.get("/api/v1/runs/\(run)/logs?\(query)").status == 400, "\(query)")
      }
      let file = try await server.get("/api/v1/runs/\(run)/logs/download?stream=stderr")
      #expect(file.text == "wrong\n")
      #expect(file.headers["content-type"] == "text/plain; charset=utf-8")
      #expect(file.headers["content-disposition"]?.hasPrefix("attachment; filename=") == true)
      #expect(file.headers["content-security-policy"]?.hasPrefix("sandbox") == true)
      #expect(file.headers["x-content-type-options"] == "nosniff")
      #expect(try await server.get("/api/v1/runs/\(run)/attempts").json["items"]?.array?.count == 1)
      #expect(try await server.post("/api/v1/runs/\(run)/stop", [:]).status == 409)
    }
  }

  @Test func `a log is followed while it grows, to its end`() async throws {
    try await TestServer.run { server in
      let gate = try Gate()
      let run = try await execute(server, "echo first; \(gate.wait); echo last")
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send(["type": "subscribe", "id": 9, "topic": "log", "run": .string(run.rawValue)])
      _ = try await socket.message("subscribed")
      var (text, ended) = ("", false)
      while !ended {
        let piece = try await socket.message("log")
        #expect(piece["offset"]?.int == Int64(text.utf8.count))
        text += piece["text"]?.string ?? ""
        #expect(piece["next_offset"]?.int == Int64(text.utf8.count))
        ended = piece["ended"] == true
        if text == "first\n", !gate.isOpen {
          #expect(!ended)
          gate.open()
        }
      }
      #expect(text == "first\nlast\n")
    }
  }

  @Test func `a sweep's rows and trials are told until it ends`() async throws {
    try await TestServer.run { server in
      let gate = try Gate()
      let source = """
        name: three
        method: grid
        parameters: {x: {values: [1, 2, 3]}}
        command: [/bin/sh, -c, "\(gate.wait); exit 0"]
        """
      let wrong = try await server.post(
        "/api/v1/sweeps", ["source": "method: gird\n", "workdir": "/tmp", "environment": [:]])
      #expect(wrong.status == 422)
      #expect(wrong.json["error"]?["details"]?["line"]?.int != nil)
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send(["type": "subscribe", "id": 4, "topic": "sweeps"])
      _ = try await socket.message("subscribed")
      let output = TemporaryDirectory()
      let created = try await server.post(
        "/api/v1/sweeps",
        ["source": .string(source), "workdir": "/tmp", "environment": [:], "output": .string(output.path)])
      #expect(created.status == 201, "\(created.text)")
      let id = try #require(created.json["id"]?.string)
      try await socket.send(["type": "subscribe", "id": 3, "topic": "sweep", "sweep": .string(id)])
      var (trials, hasRow) = (Set<Int64>(), false)
      while true {
        let message = try await socket.message("sweep", "subscribed", "error")
        if message["type"] == "subscribed" {
          // The sweep must not end before: what was before a subscription is not told.
          gate.open()
          continue
        }
        #expect(message["type"] == "sweep", "\(message.text)")
        #expect(message["sweep"]?["id"]?.string == id)
        if message["id"] == 4 {
          hasRow = true
          continue
        }
        for trial in message["trials"]?.array ?? [] {
          if let number = trial["number"]?.int { trials.insert(number) }
        }
        if message["sweep"]?["state"] == "finished" { break }
      }
      #expect(hasRow)
      let all = try await server.get("/api/v1/sweeps/\(id)/trials?sort=rank")
      #expect(all.json["items"]?.array?.count == 3)
      #expect(all.json["items"]?.array?.allSatisfy { $0["state"] == "complete" } == true, "\(all.text)")
      #expect(trials.isSubset(of: [0, 1, 2]))
      #expect(
        try await server.get("/api/v1/sweeps?project=three&state=finished").json["items"]?.array?.count == 1)
      #expect(try await server.get("/api/v1/sweeps/\(id)/trials?sort=best").status == 400)
      #expect(try await server.post("/api/v1/sweeps/\(id)/stop", ["mode": "later"]).status == 422)
    }
  }
}
