// What a trial prints, on its way from an agent to the server.

import Foundation
import MartletModel
import OrderedCollections

/// One stream of an attempt's output; the server's size of it says what is known.
struct AgentOutput {
  /// Whose output it is.
  struct Claim {
    var path: String
    var agent: String
    var attempt: Int
  }

  let stream: LogStream
  private let file: String
  private var sent = 0

  /// Bytes of a piece: the server takes four times as many.
  private static let largestPiece = 1 << 20

  init(stream: LogStream, directory: String) {
    self.stream = stream
    file = "\(directory)/\(stream.rawValue).log"
  }

  /// Sends one piece of what is new; a server that does not answer gets it later.
  ///
  /// - Returns: whether more is left.
  /// - Throws: `Failure`.
  @discardableResult
  mutating func send(_ claim: Claim, through server: AgentServer) async throws -> Bool {
    let piece = piece()
    guard !piece.isEmpty else { return false }
    let (query, limit) = (query(claim), piece.count)
    do {
      let answer = try await server.once {
        try await $0.exchange(
          .post, claim.path, query: query, body: .bytes(piece, type: "application/octet-stream"))
      }
      if answer != nil { sent += limit }
      return true
    } catch let failure as Failure {
      guard let size = failure.refusal?.details["size"]?.int.flatMap(Int.init(exactly:)), size < sent else {
        throw failure
      }
      sent = size
      return true
    }
  }

  /// Sends all there is, however long the server is silent, unless somebody wants to leave at once.
  ///
  /// - Throws: `Failure`.
  mutating func sendRest(_ claim: Claim, through server: AgentServer) async throws {
    while true {
      let before = sent
      guard try await send(claim, through: server) else { return }
      if sent == before {
        // Nobody answered: an answer to anything says that somebody does again.
        guard try await server.patiently({ try await $0.send(.get, "/version") }) != nil else { return }
      }
    }
  }

  private func query(_ claim: Claim) -> Client.Query {
    [
      ("agent", claim.agent), ("attempt", String(claim.attempt)), ("stream", stream.rawValue),
      ("offset", String(sent)),
    ]
  }

  private func piece() -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: file) else { return [] }
    defer { try? handle.close() }
    guard (try? handle.seek(toOffset: UInt64(sent))) != nil,
      let data = try? handle.read(upToCount: Self.largestPiece)
    else { return [] }
    return Array(data)
  }
}
