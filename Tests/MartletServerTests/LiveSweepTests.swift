// Sweeps over the live feed: large ones come whole, and who comes back is told what changed of them.

import MartletModel
import MartletOrchestration
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct LiveSweepTests {
  /// A sweep in the store with so many trials, of which nothing runs.
  private func newSweep(trials count: Int, _ server: TestServer) async throws -> PublicID {
    let engine = try server.engine
    let (principal, now) = (engine.localPrincipal, SystemClock().now)
    return try await engine.store.write { writer in
      let id = try writer.freshSweepID()
      let row = try writer.createSweep(
        Sweep(
          id: id, project: "digits", name: "large", description: "", state: .running, method: "grid",
          objective: nil, parameters: [], maxParallel: 1, timeout: nil, command: ["true"], workdir: "/",
          outputDirectory: "/tmp", spaceSize: count, budget: count, createdAt: now,
          createdBy: principal.name, seed: 1, source: ""),
        samplerState: [:], filename: nil, commandOverride: nil, by: principal, now: now)
      for number in 0..<count {
        let run = try writer.freshRunID()
        try writer.createExecutedRun(
          ExecutedRun(
            project: "digits", name: "trial-\(number)", sweepRow: row, trial: number, config: [:],
            command: ["true"], workdir: "/", directory: "/tmp", execution: [:]),
          id: run, by: principal, now: now)
        try writer.createTrial(
          ofSweep: row, number: number, parameters: [:], run: run, by: principal, now: now)
      }
      return id
    }
  }

  private func connect(_ server: TestServer) async throws -> WebSocketClient {
    let socket = try await WebSocketClient(server, token: server.token)
    _ = try await socket.message("ready")
    return socket
  }

  private func numbers(_ message: JSONValue) -> [Int64] {
    message["trials"]?.array?.compactMap { $0["number"]?.int } ?? []
  }

  @Test func `a large sweep's snapshot is whole, and of what is missed only that comes`() async throws {
    try await TestServer.run { server in
      let sweep = try await newSweep(trials: 1_100, server)
      let subscribe: JSONObject = [
        "type": "subscribe", "id": 1, "topic": "sweep", "sweep": .string(sweep.rawValue), "snapshot": true,
      ]
      let first = try await connect(server)
      try await first.send(.object(subscribe))
      let subscribed = try await first.message("subscribed")
      var told: [Int64] = []
      var messages: [JSONValue] = []
      while messages.last?["type"] != "snapshot" {
        let message = try await first.message("sweep", "snapshot")
        messages.append(message)
        told += numbers(message)
      }
      #expect(told == Array(0..<1_100))
      // A client that heard of a part only has no number to come back to.
      #expect(messages.dropLast(2).allSatisfy { $0["seq"] == 0 })
      first.socket.hangUp()
      let tracking = try server.engine.tracking
      await tracking.tell(trials: [sweep: [3, 1_050]])
      let again = try await connect(server)
      let place: JSONObject = ["since": subscribed["seq"] ?? nil, "epoch": subscribed["epoch"] ?? nil]
      try await again.send(.object(subscribe.merging(place) { $1 }))
      #expect(try await again.message("subscribed")["resumed"] == true)
      let missed = try await again.message("sweep", "snapshot")
      #expect(missed["sweep"]?["id"] == .string(sweep.rawValue))
      #expect(numbers(missed) == [3, 1_050])
    }
  }

  @Test func `sweeps that changed meanwhile come in the order of their changes, each with its number`()
    async throws
  {
    try await TestServer.run { server in
      var sweeps: [PublicID] = []
      for _ in 0..<3 { sweeps.append(try await newSweep(trials: 1, server)) }
      let first = try await connect(server)
      let subscribe: JSONObject = ["type": "subscribe", "id": 1, "topic": "sweeps"]
      try await first.send(.object(subscribe))
      let subscribed = try await first.message("subscribed")
      first.socket.hangUp()
      let tracking = try server.engine.tracking
      for sweep in [sweeps[2], sweeps[0]] { await tracking.tell(sweeps: [sweep]) }
      let again = try await connect(server)
      let place: JSONObject = ["since": subscribed["seq"] ?? nil, "epoch": subscribed["epoch"] ?? nil]
      try await again.send(.object(subscribe.merging(place) { $1 }))
      #expect(try await again.message("subscribed")["resumed"] == true)
      var told: [JSONValue] = []
      for _ in 0..<2 { told.append(try await again.message("sweep")) }
      #expect(told.map { $0["sweep"]?["id"]?.string } == [sweeps[2].rawValue, sweeps[0].rawValue])
      let sequences = told.compactMap { $0["seq"]?.int }
      // Who lost the line behind the first must not come back behind the second.
      #expect(sequences.count == 2 && sequences[0] < sequences[1])
    }
  }
}
