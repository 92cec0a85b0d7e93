// What the attempts of a run printed.

package import MartletModel
import MartletStore

extension Tracking {
  package func attempts(_ id: PublicID, access: Access) async throws -> [Attempt] {
    try await place(id, access)
    return try await store.read { try $0.attempts(of: id) }
  }

  package func log(
    _ id: PublicID, stream: LogStream, attempt: Int?, offset: Int, limit: Int, access: Access
  ) async throws -> LogSlice {
    let found = try await self.attempt(id, attempt, access: access)
    guard let found else {
      return LogSlice(stream: stream, attempt: 0, offset: 0, nextOffset: 0, size: 0, ended: true, text: "")
    }
    let limit = min(max(1, limit), Self.largestLogPiece)
    return try await blocking {
      try LogReading.slice(
        path: "\(found.directory)/\(stream.rawValue).log", stream: stream, attempt: found.number,
        offset: offset,
        limit: limit, ended: found.state.isEnd)
    }
  }

  package func logFile(_ id: PublicID, stream: LogStream, attempt: Int?, access: Access) async throws
    -> LogFile
  {
    guard let found = try await self.attempt(id, attempt, access: access) else {
      throw Problem(.notFound, "Run '\(id)' has no log: it was not executed here.")
    }
    return LogFile(
      path: "\(found.directory)/\(stream.rawValue).log", name: "\(id)-\(found.number)-\(stream.rawValue).log")
  }

  /// Nil: the run has no attempts, since it ran elsewhere.
  private func attempt(_ id: PublicID, _ number: Int?, access: Access) async throws -> Attempt? {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      let found = try reader.attempt(of: id, number: number)
      guard let number, found == nil else { return found }
      let count = try reader.attempt(of: id, number: nil)?.number ?? 0
      throw Problem(.notFound, "Run '\(id)' has no attempt \(number).", hint: "It has \(count).")
    }
  }
}
