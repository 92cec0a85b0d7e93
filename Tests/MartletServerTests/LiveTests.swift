// The live feed over real sockets.

import MartletModel
import MartletOrchestration
import MartletSeries
import MartletStore
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct LiveTests {
  @Test func `a page signs in with its first message`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, head: [("Origin", "http://127.0.0.1:\(server.port)")])
      try await socket.send(["type": "auth", "token": .string(server.token)])
      let local = try server.engine.localPrincipal.name
      #expect(try await socket.message("ready")["principal"]?.string == local)
      try await socket.send(["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"])
      let subscribed = try await socket.message("subscribed")
      #expect(subscribed["id"] == 1)
      let since = try #require(subscribed["seq"]?.int)
      _ = try await server.send("PATCH", "/api/v1/runs/\(run)", ["notes": "seen"])
      let told = try await socket.message("run")
      #expect(told["id"] == 1)
      #expect(try #require(told["seq"]?.int) > since)
      #expect(told["run"]?["notes"] == "seen")
      try await socket.send(["type": "unsubscribe", "id": 1])
      try await socket.send(["type": "subscribe", "id": 2, "topic": "run", "run": .string(run.rawValue)])
      _ = try await socket.message("subscribed")
      _ = try await server.send("PATCH", "/api/v1/runs/\(run)", ["notes": "again"])
      #expect(try await socket.message("run")["id"] == 2)
    }
  }

  @Test func `points come as binary frames`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, token: server.token)
      _ = try await socket.message("ready")
      try await socket.send(
        ["type": "subscribe", "id": 5, "topic": "points", "runs": [.string(run.rawValue)], "keys": ["loss"]])
      _ = try await socket.message("subscribed")
      try await server.log(run, [["loss": 0.5, "other": 1], ["loss": 0.25]])
      let names = try await socket.message("names")
      #expect(
        names == ["type": "names", "id": 5, "runs": ["0": .string(run.rawValue)], "keys": ["0": "loss"]])
      guard case .binary(let frame) = try await socket.next() else {
        Issue.record("no binary frame")
        return
      }
      // A head, one block's head, two points with step, time and value.
      #expect(frame.count == 72)
      let head: [UInt8] = [5, 0, 0, 0] + [UInt8](repeating: 0, count: 12) + [2, 0, 0, 0, 1, 0, 0, 0]
      #expect(Array(frame[..<24]) == head)
    }
  }

  @Test func `without a valid token nothing is heard`() async throws {
    var timing = LiveTiming.patientToTheEnd
    timing.authentication = .milliseconds(200)
    try await TestServer.run(timing: timing) { server in
      let silent = try await WebSocketClient(server)
      #expect(try await silent.closeCode() == 4401)
      let wrong = try await WebSocketClient(server)
      try await wrong.send(["type": "auth", "token": "wrong"])
      #expect(try await wrong.closeCode() == 4401)
      let hasty = try await WebSocketClient(server)
      try await hasty.send(["type": "subscribe", "id": 1, "topic": "runs"])
      #expect(try await hasty.closeCode() == 4401)
      let header = try await WebSocketClient(server, token: "wrong")
      #expect(try await header.closeCode() == 4401)
      await #expect(throws: WebSocketClient.UpgradeRefused.self) {
        try await WebSocketClient(server, token: server.token, host: "evil.example")
      }
      do {
        _ = try await WebSocketClient(server, token: server.token, path: "/api/v1/nothing")
        Issue.record("upgraded where nothing is")
      } catch let refused as WebSocketClient.UpgradeRefused {
        #expect(refused.answer.status == 404)
      }
      let plain = try await server.get("/api/v1/live")
      #expect(plain.status == 426)
      #expect(plain.headers["upgrade"] == "websocket")
    }
  }

  @Test func `restricted tokens subscribe to their own only`() async throws {
    try await TestServer.run { server in
      let (own, other) = (try await server.newRun(), try await server.newRun("letters"))
      let tokens = [
        try await server.newToken([.read], project: "digits"),
        try await server.newToken([.read, .ingest], run: own),
      ]
      for token in tokens {
        let socket = try await WebSocketClient(server, token: token)
        _ = try await socket.message("ready")
        let hidden = JSONValue.string(other.rawValue)
        for topic: JSONValue in [
          ["type": "subscribe", "id": 1, "topic": "run", "run": hidden],
          ["type": "subscribe", "id": 1, "topic": "points", "runs": [hidden]],
          ["type": "subscribe", "id": 1, "topic": "log", "run": hidden],
          ["type": "subscribe", "id": 1, "topic": "runs", "project": "letters"],
          ["type": "subscribe", "id": 1, "topic": "sweep", "sweep": "aaaaaaaa"],
        ] {
          try await socket.send(topic)
          let error = try await socket.message("error", "subscribed")
          #expect(error["error"]?["code"] == "notFound", "\(topic.text)")
        }
        try await socket.send(["type": "subscribe", "id": 2, "topic": "runs"])
        while try await socket.message("subscribed")["id"] != 2 {}
        _ = try await server.send("PATCH", "/api/v1/runs/\(other)", ["notes": "hidden"])
        _ = try await server.send("PATCH", "/api/v1/runs/\(own)", ["notes": "shown"])
        #expect(try await socket.message("run")["run"]?["id"]?.string == own.rawValue)
      }
      let deaf = try await WebSocketClient(server, token: try await server.newToken([.ingest]))
      try await deaf.send(["type": "subscribe", "id": 1, "topic": "runs"])
      #expect(try await deaf.message("error")["error"]?["code"] == "forbidden")
    }
  }

  @Test func `changes are gathered: the first at once, then at most two a second`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send(["type": "subscribe", "id": 1, "topic": "run", "run": .string(run.rawValue)])
      _ = try await socket.message("subscribed")
      // A change of the test's own making, so that only the feed sets the pace.
      var row = try await server.engine.tracking.run(
        run, access: Access(principal: server.engine.localPrincipal, token: nil, scopes: [.admin]))
      let start = ContinuousClock.now
      // The first is told by itself: only then do the others follow.
      row.notes = "first"
      try server.engine.tracking.feed.publish([.run(row)])
      #expect(try await socket.message("run")["run"]?["notes"] == "first")
      let publishing = Task { [row] in
        var row = row
        for number in 0..<150 {
          row.notes = "\(number)"
          try server.engine.tracking.feed.publish([.run(row)])
          try await Task.sleep(for: .milliseconds(10))
        }
      }
      var (count, last) = (1, "")
      while last != "149" {
        last = try await socket.message("run")["run"]?["notes"]?.string ?? ""
        count += 1
      }
      try await publishing.value
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      #expect(Double(count) <= 2 * seconds + 2, "\(count) messages in \(seconds) s")
    }
  }

  @Test func `a client that does not read holds up nobody`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let subscribe: JSONValue = [
        "type": "subscribe", "id": 1, "topic": "points", "runs": [.string(run.rawValue)],
      ]
      let slow = try await WebSocketClient(server, token: server.token, receiveBuffer: 4096)
      try await slow.send(subscribe)
      _ = try await slow.message("subscribed")
      let quick = try await WebSocketClient(server, token: server.token)
      try await quick.send(subscribe)
      _ = try await quick.message("subscribed")
      // About 20 MB for each client, more than its socket buffers hold.
      let feed = try server.engine.tracking.feed
      var slowest = Duration.zero
      for batch in 0..<60 {
        let points = RowBatch(
          firstSequence: 0, steps: (0..<15_000).map { Int64(batch * 15_000 + $0) },
          times: Array(repeating: 1, count: 15_000),
          numbers: [
            RowBatch.Numbers(name: "x", rows: .all, values: Array(repeating: 1.5, count: 15_000))
          ])
        let start = ContinuousClock.now
        feed.publish([.points(run: run, points)])
        slowest = max(slowest, ContinuousClock.now - start)
        try await Task.sleep(for: .milliseconds(100))
      }
      // Who waited for the slow client would wait for ever: it reads nothing yet.
      #expect(slowest < .seconds(20))
      // The quick one heard all of it, as points or as "read again"; the marker ends its wait.
      feed.publish([
        .points(
          run: run,
          RowBatch(
            firstSequence: 0, steps: [-1], times: [1],
            numbers: [RowBatch.Numbers(name: "end", rows: .all, values: [0])]))
      ])
      while true {
        let names = try await quick.message("names", "changed")
        if names["type"] == "changed" || names["keys"]?.object?.values.contains("end") == true { break }
      }
      // The slow one, once it reads, is told that points were left out.
      _ = try await slow.message("changed")
    }
  }

  @Test func `a client that asks on and on without reading is cut off`() async throws {
    try await TestServer.run { server in
      let token = try await server.newToken([.ingest])
      let socket = try await WebSocketClient(server, token: token)
      // Refused, since the token may not read. The buffers on the way hold some ten thousand answers.
      let request = socket.frame(opcode: 1, Array(#"{"type": "subscribe", "id": 1, "topic": "runs"}"#.utf8))
      let many = Array(repeating: request, count: 100).flatMap(\.self)
      let deadline = ContinuousClock.now + .seconds(120)
      await #expect(throws: SocketError.self) {
        while ContinuousClock.now < deadline { try await socket.socket.send(many) }
      }
      #expect(try await server.get("/health").status == 200)
    }
  }

  @Test func `pings keep a connection, silence ends it`() async throws {
    var isKept = false
    // A machine that was too slow to answer in time is given more of it.
    for scale in [1, 4, 16] where !isKept {
      var timing = LiveTiming()
      timing.ping = .milliseconds(100)
      (timing.authentication, timing.silence) = (.seconds(2 * scale), .seconds(3 * scale))
      try await TestServer.run(timing: timing) { server in
        let socket = try await WebSocketClient(server, token: server.token)
        // For longer than silence is borne.
        isKept = try await answersPings(15 * scale, of: socket)
        // From here on no ping is answered.
        if isKept { #expect(try await socket.closeCode() == nil) }
      }
    }
    #expect(isKept, "closed although every ping was answered")
  }

  /// Answers pings until so many of both kinds have come; false when the connection ends before.
  private func answersPings(_ count: Int, of socket: WebSocketClient) async throws -> Bool {
    var (pings, words) = (0, 0)
    do {
      while pings < count || words < count {
        switch try await socket.next() {
        case .ping(let payload):
          pings += 1
          try await socket.send(opcode: 10, payload)
        case .text(let message) where message["type"] == "ping": words += 1
        case .text, .binary, .pong: continue
        case .close, .end: return false
        }
      }
    } catch is SocketError {
      return false
    }
    return true
  }

  @Test func `the protocol is kept`() async throws {
    try await TestServer.run(timing: .patientToTheEnd) { server in
      func connect() async throws -> WebSocketClient {
        let socket = try await WebSocketClient(server, token: server.token)
        _ = try await socket.message("ready")
        return socket
      }
      let unmasked = try await connect()
      try await unmasked.send(opcode: 1, Array("{}".utf8), isMasked: false)
      #expect(try await unmasked.closeCode() == 1002)
      let reserved = try await connect()
      try await reserved.send(opcode: 1, Array("{}".utf8), reserved: 4)
      #expect(try await reserved.closeCode() == 1002)
      let strange = try await connect()
      try await strange.send(opcode: 5, [])
      #expect(try await strange.closeCode() == 1002)
      let torn = try await connect()
      try await torn.send(opcode: 0, [1])
      #expect(try await torn.closeCode() == 1002)
      let large = try await connect()
      // The server need not read all of it before it hangs up.
      let tooMuch = [UInt8](repeating: 32, count: 1 << 20 + 1)
      do { try await large.send(opcode: 1, tooMuch) } catch is SocketError {}
      #expect(try await large.closeCode() == 1009)
      let fragments = try await connect()
      for part in 0..<3 {
        try await fragments.send(
          opcode: part == 0 ? 1 : 0, [UInt8](repeating: 32, count: 400_000), isFinal: part == 2)
      }
      #expect(try await fragments.closeCode() == 1009)
      let noText = try await connect()
      try await noText.send(opcode: 1, [0xFF, 0xFE])
      #expect(try await noText.closeCode() == 1007)
      let noJSON = try await connect()
      try await noJSON.send(opcode: 1, Array("hello".utf8))
      #expect(try await noJSON.closeCode() == 4400)
      let binary = try await connect()
      try await binary.send(opcode: 2, [1])
      #expect(try await binary.closeCode() == 4400)
    }
  }

  @Test func `too many runs in one request are refused, and the connection stays`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, token: server.token)
      _ = try await socket.message("ready")
      func points(_ id: Int64, _ runs: [JSONValue]) -> JSONValue {
        ["type": "subscribe", "id": .int(id), "topic": "points", "runs": .array(runs)]
      }
      let many = (0...LiveSession.maximumRuns).map { JSONValue.string("\(10_000_000 + $0)") }
      try await socket.send(points(6, many))
      let refused = try await socket.message("error", "subscribed")
      #expect(refused["id"] == 6)
      #expect(refused["error"]?["code"] == "unprocessable")
      #expect(refused["error"]?["message"]?.string?.contains("\(LiveSession.maximumRuns) runs") == true)
      // A run that is named twice counts once.
      let same = Array(repeating: JSONValue.string(run.rawValue), count: LiveSession.maximumRuns + 1)
      try await socket.send(points(6, same))
      #expect(try await socket.message("subscribed", "error")["type"] == "subscribed")
    }
  }

  @Test func `fragments, pings between them and a good-bye are understood`() async throws {
    try await TestServer.run(timing: .patientToTheEnd) { server in
      let socket = try await WebSocketClient(server, token: server.token)
      _ = try await socket.message("ready")
      let text = Array(#"{"type":"subscribe","id":7,"topic":"runs"}"#.utf8)
      for (index, byte) in text.enumerated() {
        try await socket.send(opcode: index == 0 ? 1 : 0, [byte], isFinal: index == text.count - 1)
        if index == 20 { try await socket.send(opcode: 9, [1, 2, 3]) }
      }
      guard case .pong(let payload) = try await socket.next() else {
        Issue.record("no pong")
        return
      }
      #expect(payload == [1, 2, 3])
      #expect(try await socket.message("subscribed")["id"] == 7)
      try await socket.send(opcode: 8, [0x0F, 0xA1])
      #expect(try await socket.closeCode() == 4001)
    }
  }
}
