// A request as a route sees it: checked, with whoever makes it and what it brings.

import HTTPTypes
import Hummingbird
import MartletModel
import NIOCore
import NIOHTTPTypes
import OrderedCollections

struct APIRequest: Sendable {
  let services: Services
  /// Nil on open routes.
  let caller: Access?
  /// The path's parameters, decoded.
  let parameters: [String: String]
  let query: Query
  let headers: HTTPFields
  /// Which of the route's forms the body has; nil when there is none.
  let form: RouteBody.Form?
  /// At most as long as the route allows; empty where the route reads its body as it comes.
  let body: [UInt8]
  /// The body of a route that reads it as it comes.
  let stream: BodyStream?
  /// The other side's address, without its port.
  let remoteAddress: String
  /// Scheme and authority under which the client reached this server, like `http://127.0.0.1:7979`.
  let origin: String
  let context: APIContext

  /// Who asks; on a route that is not open there always is somebody.
  var access: Access {
    get throws(Problem) {
      guard let caller else { throw Problem(.unauthenticated, "This needs a token.") }
      return caller
    }
  }

  /// Whether `Accept` names this media type; what asks for anything gets the usual form.
  func accepts(_ type: String) -> Bool {
    headers[values: .accept].contains { list in
      list.split(separator: ",").contains { item in
        item.prefix { $0 != ";" }.trimmingSpaces.lowercased() == type
      }
    }
  }

  /// The body as JSON; an empty one counts as `{}`, so that a request without members needs none.
  func json() throws -> JSONValue { body.isEmpty ? [:] : try JSONValue.parse(body) }

  /// The path's parameter `name` as a public id.
  ///
  /// - Throws: `notFound`: what can be no id names nothing.
  func id(_ name: String) throws(Problem) -> PublicID {
    let text = parameters[name] ?? ""
    guard let id = PublicID(rawValue: text) else {
      throw Problem(
        .notFound, "There is no \(name) '\(text.prefix(100))'.",
        hint: "Ids are \(PublicID.length) characters of a-z and 0-9; martlet \(name) list shows them.")
    }
    return id
  }
}

/// A body that is read as it comes.
struct BodyStream: Sendable {
  let body: RequestBody
  /// Bytes.
  let limit: Int
  /// The client sends its body once it is asked for it (RFC 9110 §10.1.1).
  let isExpected: Bool
  let channel: any Channel

  /// Calls `take` with one piece after the other; while it works, nothing more is read from the client.
  ///
  /// - Throws: `Problem.tooLarge` once more than the limit has come.
  func read(_ take: ([ByteBuffer]) async throws -> Void) async throws {
    if isExpected { try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue))) }
    var (total, gathered, pieces) = (0, 0, [ByteBuffer]())
    for try await piece in body {
      total += piece.readableBytes
      guard total <= limit else { throw Problem.tooLarge(limit) }
      gathered += piece.readableBytes
      pieces.append(piece)
      if gathered >= 512 << 10 {
        try await take(pieces)
        (gathered, pieces) = (0, [])
      }
    }
    if !pieces.isEmpty { try await take(pieces) }
  }
}

extension Problem {
  /// A body beyond `limit` bytes.
  static func tooLarge(_ limit: Int) -> Problem {
    Problem(
      .tooLarge, "The body is larger than \(limit >> 20) MiB.", hint: "Send it in smaller pieces.",
      details: ["limit": .int(Int64(limit))])
  }
}
