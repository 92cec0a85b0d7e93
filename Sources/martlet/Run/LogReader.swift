// A log over the API, piece after piece.

import MartletModel

/// Reads one stream of one attempt's log from a place on.
struct LogReader {
  let run: String
  let stream: LogStream
  /// Nil: the newest.
  var attempt: Int?
  /// The next byte to read.
  var offset: Int64 = 0
  private(set) var hasEnded = false

  private static let pieceBytes = 1 << 20

  init(run: String, stream: LogStream, attempt: Int? = nil) {
    self.run = run
    self.stream = stream
    self.attempt = attempt
  }

  /// What has been added since the last call, at most a megabyte of it; empty when nothing was.
  mutating func next(_ client: inout PatientClient) async throws -> String {
    let piece = try await client.get(path, query: query(offset: offset, limit: Self.pieceBytes))
    guard let next = piece["next_offset"]?.int, let text = piece["text"]?.string else {
      throw Failure(.internalError, "The server sent a piece of a log that cannot be read.")
    }
    offset = next
    hasEnded = piece["ended"]?.bool == true && next >= piece["size"]?.int ?? next
    return text
  }

  /// Moves to `lines` lines before the end.
  mutating func seek(lastLines lines: Int, _ client: inout PatientClient) async throws {
    var limit = max(65_536, lines * 256)
    while true {
      let piece = try await client.get(path, query: query(offset: -Int64(limit), limit: limit))
      let start = piece["offset"]?.int ?? 0
      let text = Array((piece["text"]?.string ?? "").utf8)
      let size = piece["size"]?.int ?? 0
      // A line's end at the very end closes the last line; it begins none.
      let breaks = text.indices.filter { text[$0] == UInt8(ascii: "\n") && $0 < text.count - 1 }
      if breaks.count >= lines, lines > 0 {
        // Bytes that are no UTF-8 were replaced by longer ones, so count from the end in whole lines.
        offset = size - Int64(text.count - breaks[breaks.count - lines] - 1)
        return
      }
      if lines == 0 || start == 0 || limit >= Self.longestPiece {
        offset = lines == 0 ? size : start
        return
      }
      limit = min(limit * 4, Self.longestPiece)
    }
  }

  private static let longestPiece = 4 << 20

  private var path: String { "/runs/\(run)/logs" }

  private func query(offset: Int64, limit: Int) -> Client.Query {
    [
      ("stream", stream.rawValue), ("attempt", attempt.map(String.init)), ("offset", String(offset)),
      ("limit", String(limit)),
    ]
  }
}
