// What the attempts of a run printed, and what the clients of runs from outside sent of their output.

package import MartletModel
import MartletStore

/// Where one log of a run lies: an attempt's, or a client's of a run from outside.
struct LogSource: Sendable {
  /// From 1 in its run.
  var number: Int
  /// How many logs the run has.
  var count: Int
  var directory: String
  /// Nothing is awaited any more.
  var hasEnded: Bool
}

extension Tracking {
  /// Bytes in one piece of output that a client sends.
  package static let largestSentPiece = 4 << 20

  package func attempts(_ id: PublicID, access: Access) async throws -> [Attempt] {
    try await place(id, access)
    return try await store.read { try $0.attempts(of: id) }
  }

  package func log(
    _ id: PublicID, stream: LogStream, attempt: Int?, offset: Int, limit: Int, access: Access
  ) async throws -> LogSlice {
    guard let found = try await logSource(id, attempt, access: access) else {
      return LogSlice(stream: stream, attempt: 0, offset: 0, nextOffset: 0, size: 0, ended: true, text: "")
    }
    let limit = min(max(1, limit), Self.largestLogPiece)
    return try await blocking {
      try LogReading.slice(
        path: "\(found.directory)/\(stream.rawValue).log", stream: stream, attempt: found.number,
        offset: offset,
        limit: limit, ended: found.hasEnded)
    }
  }

  package func logFile(_ id: PublicID, stream: LogStream, attempt: Int?, access: Access) async throws
    -> LogFile
  {
    guard let found = try await logSource(id, attempt, access: access) else {
      throw Problem(
        .notFound, "Run '\(id)' has no log: it was not executed here, and its client sent none.")
    }
    return LogFile(
      path: "\(found.directory)/\(stream.rawValue).log", name: "\(id)-\(found.number)-\(stream.rawValue).log")
  }

  /// Nil: the run has no log.
  ///
  /// - Parameter number: nil: the newest.
  func logSource(_ id: PublicID, _ number: Int?, access: Access) async throws -> LogSource? {
    let directories = directories
    return try await store.read { reader in
      let place = try Self.check(try reader.place(of: id), id, access)
      let isOutside = try !place.isExecuted && reader.attempt(of: id, number: nil) == nil
      let count = try isOutside ? reader.logCount(of: id) : reader.attempt(of: id, number: nil)?.number ?? 0
      if let number, !(1...max(1, count)).contains(number) || count == 0 {
        let what = isOutside ? "log" : "attempt"
        throw Problem(.notFound, "Run '\(id)' has no \(what) \(number).", hint: "It has \(count).")
      }
      guard count > 0 else { return nil }
      if isOutside {
        let number = number ?? count
        return LogSource(
          number: number, count: count, directory: directories.receivedLog(number, of: id),
          hasEnded: place.state.isEnd)
      }
      return try reader.attempt(of: id, number: number).map { attempt in
        LogSource(
          number: attempt.number, count: count, directory: attempt.directory, hasEnded: attempt.state.isEnd)
      }
    }
  }

  /// Takes a piece of the output of an attempt that runs elsewhere; it is durable when this returns.
  ///
  /// - Parameter directory: of the attempt.
  /// - Returns: the size of the stream, and how many bytes were new.
  /// - Throws: `Problem`: `conflict` with `details.size` when bytes are missing before these; `unavailable`.
  package func keepOutput(
    _ piece: [UInt8], of stream: LogStream, at offset: Int, time: Timestamp, in directory: String
  ) async throws -> (size: Int, accepted: Int) {
    let log = ReceivedLog(directory: directory)
    return try await blocking { try log.append(piece, to: stream, at: offset, time: time) }
  }

  /// Takes a piece of the output of a run from outside; it is durable when this returns.
  ///
  /// - Parameters:
  ///   - offset: of the piece's first byte in the client's stream. What is known already is passed over.
  ///   - time: when its last byte was written; nil: now.
  /// - Returns: the size of the client's stream, and how many bytes were new.
  /// - Throws: `Problem`: `conflict` with `details.size` when bytes are missing before these, or when the server has
  ///   the run's output itself; `unprocessable`, `notFound`, `unavailable`.
  package func appendLog(
    _ id: PublicID, client: String, stream: LogStream, offset: Int, time: Timestamp?, piece: [UInt8],
    access: Access
  ) async throws -> (size: Int, accepted: Int) {
    try Self.checkClient(client)
    let known = try await store.read { reader -> Int? in
      let place = try Self.checkWritable(try reader.place(of: id), id, access)
      guard !place.isExecuted else {
        throw Problem(
          .conflict, "Run '\(id)' is executed here: its output is in its attempts' logs already.",
          hint: "Send the output of runs that began outside of Martlet only.")
      }
      return try reader.logNumber(of: id, client: client)
    }
    let now = clock.now
    let number: Int
    if let known {
      number = known
    } else {
      number = try await store.write { writer in
        try Self.checkWritable(try writer.place(of: id), id, access)
        return try writer.giveLogNumber(of: id, client: client, now: now)
      }
    }
    let log = ReceivedLog(directory: directories.receivedLog(number, of: id))
    return try await blocking { try log.append(piece, to: stream, at: offset, time: time ?? now) }
  }
}
