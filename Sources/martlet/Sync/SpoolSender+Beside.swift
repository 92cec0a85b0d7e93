// Sending what a run has besides its rows: files, alerts, what was seen of it, what it printed.

import Foundation
import MartletModel
import OrderedCollections

extension SpoolSender {
  /// The files and alerts that stand among the rows.
  mutating func tellFilesAndAlerts(_ piece: SpoolPiece) async throws {
    for (name, file) in piece.files {
      try await keep(name, file["sha256"]?.string ?? "")
    }
    for alert in piece.alerts {
      try await leniently { sender in
        _ = try await sender.request(.post, "\(sender.path)/alerts", alert)
      }
    }
  }

  /// One piece of each; false when there was nothing.
  mutating func sendBeside() async throws -> Bool {
    let hasSeen = try await sendSeen()
    return try await sendOutput() || hasSeen
  }

  /// All of it, once its program is gone. An observer that is still at it is waited for: it ends soon after the program.
  mutating func sendRest() async throws {
    while spool.beside.isWatched {
      _ = try await sendBeside()
      await pause(.milliseconds(50))
      if isInterrupted { throw ExitStatus.interrupted.code }
    }
    while try await sendBeside() {
      spool.acknowledge()
      if isInterrupted { throw ExitStatus.interrupted.code }
    }
    spool.acknowledge()
  }

  private mutating func sendSeen() async throws -> Bool {
    let lines = spool.beside.lines()
    var samples = ""
    for (line, end) in lines {
      if let sample = line["sample"] {
        samples += sample.text + "\n"
      } else if let patch = line["patch"]?.object {
        try await tell(patch)
      } else if let name = line["file"]?["path"]?.string {
        try await keep(name, line["file"]?["sha256"]?.string ?? "")
      } else if let error = line["error"]?.string {
        spool.note(error: error)
      }
      if samples.isEmpty { spool.beside.told(to: end) }
    }
    if !samples.isEmpty {
      try await leniently { [samples] sender in
        try await sender.post(
          "system", [("client", sender.spool.client)], Array(samples.utf8), type: "application/x-ndjson")
      }
    }
    if let end = lines.last?.end { spool.beside.told(to: end) }
    return !lines.isEmpty
  }

  private mutating func sendOutput() async throws -> Bool {
    guard let (pieces, place) = spool.beside.output() else { return false }
    for piece in pieces {
      var known: Int64?
      try await leniently { sender in known = try await sender.send(piece) }
      if let known {
        spool.beside.expects(piece.stream, known)
        return true
      }
    }
    spool.beside.delivered(place)
    spool.acknowledge()
    spool.beside.forget()
    return true
  }

  /// - Returns: how many bytes of the stream the server has, where that is less than it should be.
  private mutating func send(_ piece: SpoolBeside.Output) async throws -> Int64? {
    do {
      try await post(
        "logs",
        [
          ("client", spool.client), ("stream", piece.stream), ("offset", "\(piece.offset)"),
          ("time", "\(piece.time)"),
        ], piece.bytes, type: "application/octet-stream")
    } catch let failure as Failure where failure.refusal?.code == .conflict {
      guard let size = failure.refusal?.details["size"]?.int, (0..<piece.offset).contains(size) else {
        throw failure
      }
      return size
    }
    return nil
  }

  /// A file of the run: its bytes, then its name.
  private mutating func keep(_ name: String, _ hash: String) async throws {
    guard try await upload([hash]).contains(hash) else { return }
    try await leniently { sender in
      let path = "\(sender.path)/files?path=\(Client.escaped(name))"
      _ = try await sender.request(.put, path, ["sha256": .string(hash)])
      unlink("\(sender.spool.directory)/blobs/\(hash)")
    }
  }

  /// What the server refuses is noted and left out: the rows are worth more. One that does not know the route is older than
  /// this program, and no word is lost on it.
  private mutating func leniently(_ ask: (inout SpoolSender) async throws -> Void) async throws {
    do {
      try await ask(&self)
    } catch let failure as Failure where failure.refusal != nil && !failure.isPassing {
      switch failure.refusal?.code {
      case .notFound, .methodNotAllowed, .unauthenticated: break
      default: spool.note(error: failure.inOneLine)
      }
    }
  }
}
