// One row of the table from which both the router and the OpenAPI document are made.

import HTTPTypes
import Hummingbird
import MartletModel

/// What a route asks of whoever calls it. There is no default: a route without it cannot be written.
enum RouteAccess: Sendable, Hashable {
  /// Nobody is asked.
  case open
  /// Any valid token.
  case anyToken
  /// A token with this scope; the services show one that is bound to a project or run no more than that.
  case scope(Scope)
  /// A token with this scope that is bound to nothing: the route concerns the server as a whole.
  case server(Scope)
}

/// A parameter behind the `?`.
struct QueryParameter: Sendable {
  var name: String
  var summary: String
  /// JSON Schema.
  var schema: JSONValue
  var isRequired = false
}

/// What a request must bring.
struct RouteBody: Sendable {
  enum Form: String, Sendable {
    case json = "application/json"
    case lines = "application/x-ndjson"
    /// Spool records (docs/spool.md).
    case records = "application/vnd.martlet.rows"
    /// Any bytes. They are not gathered before the route is asked: it reads them as they come.
    case bytes = "application/octet-stream"
  }

  /// One of them.
  var forms = [Form.json]
  /// Name among the document's component schemas.
  var schema: String
  /// Whether an empty body is an error; else it counts as `{}`.
  var isRequired: Bool
  /// Bytes.
  var limit = 4 << 20
}

/// What a route answers when all is well.
struct RouteAnswer: Sendable {
  var status = 200
  var type = "application/json"
  /// Name among the document's component schemas; nil for bytes or a text of any form.
  var schema: String?
  /// Media types of other forms of the same, which the request may choose.
  var otherTypes: [String] = []
  /// Whether a part of it can be asked for with `Range`.
  var isRanged = false
}

struct Route: Sendable {
  static let prefix = "/api/v1"

  let method: HTTPRequest.Method
  /// Whole path; parameters are segments like `:run`.
  let path: String
  let access: RouteAccess
  let summary: String
  let query: [QueryParameter]
  let body: RouteBody?
  let answer: RouteAnswer
  let handle: @Sendable (APIRequest) async throws -> Response

  init(
    _ method: HTTPRequest.Method, _ path: String, _ access: RouteAccess, _ summary: String,
    query: [QueryParameter] = [], body: RouteBody? = nil, answer: RouteAnswer, outsideAPI: Bool = false,
    handle: @escaping @Sendable (APIRequest) async throws -> Response
  ) {
    self.method = method
    self.path = outsideAPI ? path : Self.prefix + path
    self.access = access
    self.summary = summary
    self.query = query
    self.body = body
    self.answer = answer
    self.handle = handle
  }

  /// Whether it changes nothing: then nobody needs what is still being computed when the client has left.
  var isReading: Bool { method == .get || path == Self.prefix + "/series" }

  var segments: [Substring] { path.split(separator: "/", omittingEmptySubsequences: false) }
  /// Names of the path's parameters, without the colon.
  var parameterNames: [String] { segments.filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) } }
}
