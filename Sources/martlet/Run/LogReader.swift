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

  /// The last `lines` lines; `next` goes on behind them.
  mutating func last(lines: Int, _ client: inout PatientClient) async throws -> String {
    var limit = 1 << 16
    while limit <= Self.longestPiece {
      let piece = try await client.get(path, query: query(offset: -Int64(limit), limit: limit))
      let text = piece["text"]?.string ?? ""
      offset = piece["next_offset"]?.int ?? 0
      let kept = Self.lastLines(lines, of: text)
      // Complete when the cut lies within the piece, or the piece is all there is.
      if kept.utf8.count < text.utf8.count || piece["offset"]?.int == 0 { return kept }
      limit *= 8
    }
    // Longer than any piece: read all, and keep only the end.
    offset = 0
    var kept = ""
    while true {
      let text = try await next(&client)
      if text.isEmpty { return kept }
      kept = Self.lastLines(lines, of: kept + text)
    }
  }

  static func lastLines(_ lines: Int, of text: String) -> String {
    let bytes = Array(text.utf8)
    // A line's end at the very end closes the last line; it begins none.
    let starts = [0] + bytes.indices.dropLast().filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    guard lines > 0 else { return "" }
    guard starts.count > lines else { return text }
    return String(decoding: bytes[starts[starts.count - lines]...], as: UTF8.self)
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
