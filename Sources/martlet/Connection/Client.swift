// The API over HTTP: one request, one JSON answer, errors as sentences.

import Foundation
import FoundationNetworking
import MartletModel

/// A client of one server's API. Connections are kept alive between requests.
struct Client: Sendable {
  enum Method: String {
    case get = "GET"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// Names with values; those with a nil value are left out.
  typealias Query = [(name: String, value: String?)]

  /// Scheme, host and port.
  let base: URL
  let token: String?
  let place: ServerPlace
  private let session: URLSession

  init(base: URL, token: String?, place: ServerPlace, timeout: TimeInterval = 30) {
    self.base = base
    self.token = token
    self.place = place
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = timeout
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    session = URLSession(configuration: configuration)
  }

  /// Asks under `/api/v1`.
  ///
  /// - Parameter path: like `/runs`; built with `Client.escaped` where it holds a name.
  /// - Throws: `Failure` when the server refuses or does not answer.
  func send(
    _ method: Method, _ path: String, query: Query = [], body: JSONValue? = nil
  ) async throws -> JSONValue {
    let parts = query.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
    let suffix = parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    guard let url = URL(string: base.absoluteString + "/api/v1" + path + suffix) else {
      throw Failure(.internalError, "'\(path)' makes no address.")
    }
    var request = URLRequest(url: url)
    request.httpMethod = method.rawValue
    if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    if let body {
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      request.httpBody = Data(body.bytes())
    }
    let (bytes, response) = try await exchange(request)
    guard let http = response as? HTTPURLResponse else {
      throw Failure(.internalError, "\(url) did not answer in HTTP.")
    }
    let json = try? JSONValue.parse(bytes)
    guard (200..<300).contains(http.statusCode) else {
      throw refusal(status: http.statusCode, json: json)
    }
    if bytes.isEmpty { return .null }
    guard let json else { throw isNoMartlet }
    return json
  }

  /// All items of a list, page after page, or the first `limit` of them.
  func items(
    _ path: String, query: Query = [], limit: Int? = nil
  ) async throws -> [JSONValue] {
    var items: [JSONValue] = []
    var cursor: String?
    repeat {
      let page = min(1000, limit.map { $0 - items.count } ?? 1000)
      let paged = query + [("limit", String(page)), ("cursor", cursor)]
      let answer = try await send(.get, path, query: paged)
      items += answer["items"]?.array ?? []
      cursor = answer["next"]?.string
      if let limit, items.count >= limit { return Array(items.prefix(limit)) }
    } while cursor != nil
    return items
  }

  /// A path segment or a query value, percent-encoded (RFC 3986's unreserved characters stay).
  static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(UnicodeScalar(byte))
      default: "-._~".utf8.contains(byte) ? String(UnicodeScalar(byte)) : String(format: "%%%02X", Int(byte))
      }
    }.joined()
  }

  private func exchange(_ request: URLRequest) async throws -> (Data, URLResponse) {
    do {
      return try await session.data(for: request)
    } catch let error as URLError {
      switch error.code {
      case .cannotConnectToHost, .networkConnectionLost, .cannotFindHost, .dnsLookupFailed, .timedOut,
        .notConnectedToInternet:
        throw Failure(
          .unavailable, "No server answers at \(base.absoluteString).",
          hint: place.isLocal
            ? "martlet up\(place.suffix) starts one; the log of the last is \(place.data.logFile)."
            : "Check the address, or start it with martlet up.")
      default:
        throw Failure(.unavailable, "\(base.absoluteString) cannot be asked: \(error.localizedDescription)")
      }
    }
  }

  private func refusal(status: Int, json: JSONValue?) -> Failure {
    guard let problem = json.flatMap(Problem.init(json:)) else {
      let isOurs = json?["error"] != nil
      return isOurs ? Failure(.internalError, "The server answered with status \(status).") : isNoMartlet
    }
    var failure = Failure(problem)
    if problem.code == .unauthenticated, problem.hint == nil {
      failure.hint =
        token == nil
        ? "Give a token with --token or MARTLET_TOKEN, or name the server's data directory with --data."
        : "The token is not this server's, was revoked or has expired: martlet token list shows what there is."
    }
    return failure
  }

  private var isNoMartlet: Failure {
    Failure(
      .unavailable, "What answers at \(base.absoluteString) is no Martlet server.",
      hint: "Check --url and MARTLET_URL.")
  }
}
