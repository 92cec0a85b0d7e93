// One spool's way to the server.

import Foundation
import MartletExecution
import MartletModel
import MartletSeries
import OrderedCollections

/// Sends what a spool holds. Whoever does it, however often and from wherever it begins, nothing arrives twice.
struct SpoolSender {
  let spool: SpoolFile
  private let interrupts: Interrupts
  private var client: Client
  /// How long a server may be silent.
  private let patience: Duration
  private var run: String?
  private var rewoundTo: Int64?
  private var nextHeartbeat = ContinuousClock.now
  private var isHeartbeatRefused = false
  private var wasStopAsked = false

  private(set) var rows = 0
  private(set) var files = 0
  private(set) var bytes: Int64 = 0

  private static let heartbeatEvery: Duration = .seconds(15)
  private static let longestPause: Duration = .seconds(2)

  init(_ spool: SpoolFile, _ client: Client, patience: Duration, interrupts: Interrupts) {
    (self.spool, self.client, self.patience, self.interrupts) = (spool, client, patience, interrupts)
    run = spool.run
  }

  /// The run it goes to, once that is known.
  var runID: String? { run }

  enum Outcome { case delivered, clientGoesOn }

  /// Sends what is there by now.
  ///
  /// - Parameter show: called after each piece.
  /// - Throws: `Failure`: what the server refused, or that it was silent for too long.
  mutating func pass(_ show: (SpoolSender) -> Void) async throws -> Outcome {
    if run == nil { run = try await createdRun() }
    while true {
      // Asked before the last look at the file, never after.
      let isAlive = spool.isClientAlive
      let piece = spool.read()
      var isComplete = piece.isComplete
      let arrived = try await upload(piece.blobs)
      try await tell(changes(of: piece))
      if piece.rows > 0, try await deliver(piece) {
        for name in arrived { unlink(blobFile(name)) }
      } else if piece.rows > 0 {
        isComplete = false
      }
      try await tellFilesAndAlerts(piece)
      let hasMore = try await sendBeside()
      spool.acknowledge()
      show(self)
      if spool.end != nil || (!isAlive && isComplete) {
        try await sendRest()
        try await finish()
        return .delivered
      }
      if isComplete, !hasMore { return .clientGoesOn }
      if interrupts.arePending { throw ExitStatus.interrupted.code }
    }
  }

  // MARK: - The run

  var path: String { "/runs/\(Client.escaped(run ?? ""))" }

  /// The run of a spool that was kept offline: made now, and noted, so that it is made once for all its clients.
  ///
  /// A sender that is killed before it has noted the run, or gets no answer, leaves one to the next that is known by `local`.
  private mutating func createdRun() async throws -> String {
    let note = SpoolPlace.runNote(of: spool)
    if let note, let made = SpoolFile.json(at: note)["run"]?.string { return made }
    let create = spool.first["create"] ?? [:]
    let answer: JSONValue
    if let fork = spool.first["fork"], let source = fork["run"]?.string {
      var body: JSONObject = [:]
      if let step = fork["step"], !step.isNull { body["step"] = step }
      if let name = create["name"], !name.isNull { body["name"] = name }
      answer = try await request(.post, "/runs/\(Client.escaped(source))/fork", .object(body))
    } else {
      var body = create.object ?? [:]
      if create["id"]?.string == nil, let local = spool.first["local"]?.string {
        body["id"] = .string(local)
        body["resume"] = "allow"
      }
      answer = try await request(.post, "/runs", .object(body))
    }
    guard PublicID(rawValue: answer.id) != nil else {
      throw Failure(.unavailable, "What answers at \(client.base.absoluteString) is no Martlet server.")
    }
    if let step = spool.first["rewind_to"], !step.isNull {
      _ = try await request(.post, "/runs/\(answer.id)/rewind", ["step": step])
    }
    if let note {
      let isNoted = SpoolFile.replace(
        note, through: spool.stem + ".run.new",
        with: ["run": .string(answer.id), "url": .string(client.base.absoluteString)])
      if !isNoted {
        spool.note(error: "Run \(answer.id) was made for this spool, which could not be noted.")
      }
    }
    return answer.id
  }

  private func changes(of piece: SpoolPiece) -> JSONObject {
    var changes = piece.patch
    if let workdir = piece.workdir, let git = GitProbe.state(of: workdir) { changes["git"] = git.json }
    return changes
  }

  /// Changes the run's fields. One wrong field keeps no other back, and none of them a row.
  mutating func tell(_ changes: JSONObject) async throws {
    guard !changes.isEmpty else { return }
    do {
      _ = try await request(.patch, path, .object(changes))
    } catch let failure as Failure where failure.isAboutContent {
      guard changes.count > 1 else { return spool.note(error: failure.inOneLine) }
      for (key, value) in changes { try await tell([key: value]) }
    }
  }

  /// Says how a run from outside ended. In an attempt the process's own end counts, and only a reason is added.
  private mutating func finish() async throws {
    var end = (spool.end ?? [:]).filter { !$0.value.isNull }
    guard spool.isFromOutside else {
      if let reason = end["reason"] { _ = try await request(.post, "\(path)/finish", ["reason": reason]) }
      return
    }
    guard let run, spool.first["finish"]?.bool == true, !spool.hasSuccessor(run: run) else { return }
    let hasFailed = end["exit_code"].map { $0.int != 0 } ?? false
    if spool.end == nil {
      end =
        wasStopAsked
        ? ["state": "stopped", "reason": "It was asked to stop."]
        : [
          "state": "crashed",
          "reason": "The program vanished: killed, out of memory, or its machine went down.",
        ]
    } else if wasStopAsked, hasFailed {
      end["state"] = "stopped"
    } else if end["state"] == nil {
      end["state"] = hasFailed ? "failed" : "finished"
    }
    _ = try await request(.post, "\(path)/finish", .object(end))
  }

  // MARK: - Rows and files

  /// - Returns: false when the server wants earlier rows, which are read again.
  private mutating func deliver(_ piece: SpoolPiece) async throws -> Bool {
    do {
      let answer = try await patiently { [spool, path] client in
        try await client.exchange(
          .post, "\(path)/log", query: [("client", spool.client)],
          body: .bytes(piece.body, type: LogRecords.mediaType))
      }
      guard (try? JSONValue.parse(answer.bytes))?["next_seq"]?.int != nil else {
        throw Failure(.unavailable, "What answers at \(client.base.absoluteString) is no Martlet server.")
      }
    } catch let failure as Failure {
      // Only a server that has less than was sent asks for more: the spool still has it.
      guard failure.refusal?.code == .conflict, let wanted = failure.refusal?.details["next_seq"]?.int,
        (0..<piece.firstSequence).contains(wanted), wanted != rewoundTo
      else { throw failure }
      rewoundTo = wanted
      spool.rewind(to: wanted)
      return false
    }
    rewoundTo = nil
    rows += piece.rows
    bytes += Int64(piece.body.count)
    spool.delivered(piece)
    return true
  }

  private func blobFile(_ name: String) -> String { "\(spool.directory)/blobs/\(name)" }

  /// Brings files to the server before the rows that name them.
  ///
  /// - Returns: those that the server has now.
  mutating func upload(_ blobs: [String]) async throws -> [String] {
    var arrived: [String] = []
    for name in blobs where name.utf8.count == 64 && name.allSatisfy(\.isHexDigit) {
      let place = "\(path)/blobs/\(name)"
      let file = blobFile(name)
      do {
        if try await isThere(place) {
          arrived.append(name)
          continue
        }
        guard access(file, R_OK) == 0 else {
          spool.note(error: "The file \(name) is neither with the server nor in \(spool.directory)/blobs.")
          continue
        }
        _ = try await patiently { client in
          try await client.exchange(.put, place, body: .file(file, type: "application/octet-stream"))
        }
        files += 1
        arrived.append(name)
        bytes +=
          (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? NSNumber)?.int64Value ?? 0
      } catch let failure as Failure where failure.isAboutContent {
        // The points are worth more: they go on.
        spool.note(error: "The file \(name) was refused and is kept in \(file): \(failure.inOneLine)")
      }
    }
    return arrived
  }

  private mutating func isThere(_ place: String) async throws -> Bool {
    do {
      _ = try await patiently { client in try await client.exchange(.head, place) }
      return true
    } catch let failure as Failure where !failure.isPassing {
      // Not there, or this token may not ask: then it is sent.
      return false
    }
  }

  // MARK: - Signs of life

  /// Tells the server that the client lives, and the client that it is to stop, when somebody asked for that.
  mutating func heartbeat() async throws {
    guard run != nil, .now >= nextHeartbeat, !isHeartbeatRefused, spool.isClientAlive else { return }
    nextHeartbeat = .now + Self.heartbeatEvery
    do {
      let answer = try await client.send(.post, "\(path)/heartbeat", body: [:])
      guard answer["stop_requested"]?.bool == true, !wasStopAsked, spool.isFromOutside else { return }
      wasStopAsked = true
      spool.askToStop()
    } catch let failure as Failure where failure.isPassing {
      client = try client.place.client() ?? client
    } catch let failure as Failure where failure.isAboutContent {
      isHeartbeatRefused = true
      spool.note(error: failure.inOneLine)
    }
  }

  // MARK: - Asking

  mutating func request(_ method: Client.Method, _ path: String, _ body: JSONValue) async throws
    -> JSONValue
  {
    try await patiently { client in try await client.send(method, path, body: body) }
  }

  /// Sends bytes to a route of the run.
  mutating func post(_ route: String, _ query: Client.Query, _ bytes: [UInt8], type: String) async throws {
    _ = try await patiently { [path] client in
      try await client.exchange(.post, "\(path)/\(route)", query: query, body: .bytes(bytes, type: type))
    }
    self.bytes += Int64(bytes.count)
  }

  func pause(_ duration: Duration) async { await interrupts.pause(for: duration) }

  var isInterrupted: Bool { interrupts.arePending }

  /// Tries until there is an answer, or the server was silent for too long.
  private mutating func patiently<T: Sendable>(_ ask: (Client) async throws -> T) async throws -> T {
    let start = ContinuousClock.now
    var pause: Duration = .milliseconds(100)
    while true {
      do {
        return try await ask(client)
      } catch let failure as Failure where failure.isPassing {
        guard .now - start < patience else { throw failure }
        await interrupts.pause(for: pause)
        if interrupts.arePending { throw ExitStatus.interrupted.code }
        pause = min(pause * 2, Self.longestPause)
        // It may have come back at another port.
        client = try client.place.client() ?? client
      }
    }
  }
}

extension Failure {
  /// A refusal of this one request; nothing is wrong with the run or the token.
  fileprivate var isAboutContent: Bool {
    switch refusal?.code {
    case nil, .unauthenticated, .notFound: false
    case .some: !isPassing
    }
  }

  var inOneLine: String { [message, hint].compactMap { $0 }.joined(separator: " ") }
}

extension SpoolFile {
  /// SIGUSR1 for a program that handles it, else what Ctrl-C would do, or SIGTERM where that is ignored. The lock that the
  /// client still holds proves that the process id is its own.
  fileprivate func askToStop() {
    guard isClientAlive, let pid = first["pid"]?.int.flatMap({ Int32(exactly: $0) }), pid > 1 else { return }
    if access("\(directory)/stop_signal", F_OK) == 0 {
      kill(pid, SIGUSR1)
    } else {
      kill(pid, ProcessTable.ignores(SIGINT, pid) ? SIGTERM : SIGINT)
    }
  }
}
