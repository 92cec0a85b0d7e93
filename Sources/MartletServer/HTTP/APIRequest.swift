// A request as a route sees it: checked, with whoever makes it and what it brings.

import Hummingbird
import MartletModel

struct APIRequest: Sendable {
  let services: Services
  /// Nil on open routes.
  let caller: Access?
  /// The path's parameters, decoded.
  let parameters: [String: String]
  let query: Query
  /// At most as long as the route allows.
  let body: [UInt8]
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
