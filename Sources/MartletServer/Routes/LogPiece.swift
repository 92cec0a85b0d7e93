// A piece of output that somebody sends: its query parameters, and what is read of them.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletTracking
import OrderedCollections

/// What stands in the request of a piece of output.
struct LogPiece: Sendable {
  var stream: LogStream
  /// In bytes.
  var offset: Int
  /// When its last byte was written.
  var time: Timestamp?
  var bytes: [UInt8]

  static let body = RouteBody(
    forms: [.bytes], schema: "LogPiece", isRequired: false, limit: Tracking.largestSentPiece)

  static let parameters = [
    QueryParameter(
      name: "stream", summary: "Which output.",
      schema: ["type": "string", "enum": ["stdout", "stderr"], "default": "stdout"]),
    QueryParameter(
      name: "offset", summary: "Where the piece begins in the sender's output, in bytes.",
      schema: ["type": "integer", "minimum": 0], isRequired: true),
    QueryParameter(
      name: "time", summary: "When its last byte was written, in microseconds since 1970.",
      schema: ["type": "integer", "minimum": 0]),
  ]

  /// - Throws: `Problem.badRequest`.
  init(reading request: APIRequest) async throws {
    let query = request.query
    guard let offset = try query.int("offset", in: 0...Int(Int64.max)) else {
      throw Problem(
        .badRequest, "The parameter 'offset' is missing.",
        hint: "It says where the piece begins in the sender's output, in bytes.")
    }
    self.offset = offset
    stream = try query.choice("stream", LogStream.self) ?? .stdout
    time = try query.int("time", in: 0...Int(Int64.max)).map { Timestamp(microseconds: Int64($0)) }
    var bytes: [UInt8] = []
    try await request.stream?.read { parts in
      for part in parts { part.withUnsafeReadableBytes { bytes.append(contentsOf: $0) } }
    }
    self.bytes = bytes
  }

  /// How far the output is kept, and how much of the piece was new.
  static func receipt(_ kept: (size: Int, accepted: Int)) -> Response {
    .json(["size": .int(Int64(kept.size)), "accepted": .int(Int64(kept.accepted))])
  }
}
