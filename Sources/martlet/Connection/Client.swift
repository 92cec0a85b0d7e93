// The API over HTTP: one request, one answer, errors as sentences.

import AsyncHTTPClient
import Foundation
import MartletModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// A client of one server's API. Connections are kept alive between requests.
struct Client: Sendable {
  enum Method: String {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// What a request brings.
  enum Body: Sendable {
    case json(JSONValue)
    case bytes([UInt8], type: String)
    /// A file's content, read as it is sent.
    case file(String, type: String)
  }

  /// What a server answered with a status of 200 to 299.
  struct Answer: Sendable {
    var bytes: Data
    private let headers: HTTPHeaders

    fileprivate init(_ bytes: Data, _ headers: HTTPHeaders) {
      self.bytes = bytes
      self.headers = headers
    }

    /// A header's value.
    subscript(_ header: String) -> String? { headers.first(name: header) }
  }

  /// Names with values; those with a nil value are left out.
  typealias Query = [(name: String, value: String?)]

  /// Scheme, host and port.
  let base: URL
  let token: String?
  let place: ServerPlace
  /// Seconds that an answer may take to begin, and then each part of it.
  private let timeout: Int64

  init(base: URL, token: String?, place: ServerPlace, timeout: Int64 = 30) {
    self.base = base
    self.token = token
    self.place = place
    self.timeout = timeout
  }

  /// Asks under `/api/v1` for JSON.
  ///
  /// - Parameter path: like `/runs`; built with `Client.escaped` where it holds a name.
  /// - Throws: `Failure` when the server refuses or does not answer.
  func send(
    _ method: Method, _ path: String, query: Query = [], body: JSONValue? = nil
  ) async throws -> JSONValue {
    let answer = try await exchange(method, path, query: query, body: body.map(Body.json))
    if answer.bytes.isEmpty { return .null }
    guard let json = try? JSONValue.parse(answer.bytes) else { throw isNoMartlet }
    return json
  }

  /// Asks under `/api/v1` for anything.
  ///
  /// - Throws: `Failure` when the server refuses or does not answer.
  func exchange(
    _ method: Method, _ path: String, query: Query = [], body: Body? = nil,
    headers: [(name: String, value: String)] = []
  ) async throws -> Answer {
    let parts = query.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
    let suffix = parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    var request = HTTPClientRequest(url: base.absoluteString + "/api/v1" + path + suffix)
    request.method = HTTPMethod(rawValue: method.rawValue)
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    switch body {
    case .json(let json):
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: json.bytes()))
    case .bytes(let bytes, let type):
      request.headers.add(name: "Content-Type", value: type)
      request.body = .bytes(ByteBuffer(bytes: bytes))
    case .file(let path, let type):
      request.headers.add(name: "Content-Type", value: type)
      let file = try FilePieces(path)
      request.body = .stream(file, length: .known(file.size))
    case nil: break
    }
    let answer = try await exchange(request)
    guard (200..<300).contains(answer.status) else {
      // An answer to HEAD has no body that could say more.
      if method == .head, answer.status == 404 { throw Failure(.notFound, "\(path) is not there.") }
      // What is no JSON is no answer of a Martlet, and is told as such.
      throw refusal(status: answer.status, json: try? JSONValue.parse(answer.bytes))
    }
    return Answer(answer.bytes, answer.headers)
  }

  /// All items of a list, page after page, or the first `limit` of them.
  func items(
    _ path: String, query: Query = [], limit: Int? = nil
  ) async throws -> [JSONValue] {
    var items: [JSONValue] = []
    var cursor: String?
    repeat {
      let page = min(1000, limit.map { $0 - items.count } ?? 1000)
      let answer = try await self.page(path, query: query, count: page, cursor: cursor)
      items += answer.items
      cursor = answer.next
      if let limit, items.count >= limit { return Array(items.prefix(limit)) }
    } while cursor != nil
    return items
  }

  /// One page of a list.
  ///
  /// - Parameters:
  ///   - count: items of a page, 1 to 1000.
  ///   - cursor: `next` of the page before; nil: the first page.
  func page(
    _ path: String, query: Query = [], count: Int, cursor: String?
  ) async throws -> (items: [JSONValue], next: String?) {
    let answer = try await send(
      .get, path, query: query + [("limit", String(count)), ("cursor", cursor)])
    return (answer["items"]?.array ?? [], answer["next"]?.string)
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

  /// One exchange; where a kept connection turns out to have ended, another, as long as nothing can happen twice.
  private func exchange(
    _ request: HTTPClientRequest
  ) async throws -> (status: Int, headers: HTTPHeaders, bytes: Data) {
    do {
      return try await exchangeOnce(request)
    } catch let error as HTTPClientError
      where error == .remoteConnectionClosed && (request.method == .GET || request.method == .HEAD)
    {
      return try await mapped { try await exchangeOnce(request) }
    } catch {
      return try await mapped { throw error }
    }
  }

  private func exchangeOnce(
    _ request: HTTPClientRequest
  ) async throws -> (status: Int, headers: HTTPHeaders, bytes: Data) {
    let response = try await HTTPConnections.client(timeout: timeout).execute(
      request, deadline: .distantFuture)
    let body = try await response.body.collect(upTo: Self.longestAnswer)
    return (Int(response.status.code), response.headers, Data(body.readableBytesView))
  }

  /// Bytes of an answer: more than any has.
  private static let longestAnswer = 1 << 31

  /// Says in words why nobody answered.
  private func mapped<T>(_ body: () async throws -> T) async throws -> T {
    do {
      return try await body()
    } catch let failure as Failure {
      throw failure
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      let isSilence =
        switch error {
        case is NIOConnectionError, is IOError: true
        case let error as HTTPClientError:
          [
            .connectTimeout, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
            .remoteConnectionClosed,
          ]
          .contains(error)
        default: false
        }
      guard isSilence else {
        // BoringSSL's own words are of use to nobody.
        let isUntrusted = "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
        let reason = isUntrusted ? "its certificate is not one that this machine trusts." : "\(error)"
        throw Failure(.unavailable, "\(base.absoluteString) cannot be asked: \(reason)")
      }
      throw Failure(
        .unavailable, "No server answers at \(base.absoluteString).",
        hint: place.isLocal
          ? "martlet up\(place.suffix) starts one; the log of the last is \(place.data.logFile)."
          : "Check the address, or start it with martlet up.")
    }
  }

  private func refusal(status: Int, json: JSONValue?) -> Failure {
    guard let problem = json.flatMap(Problem.init(json:)) else {
      let isOurs = json?["error"] != nil
      guard !isOurs, !(500..<600).contains(status) else {
        return Failure(
          isOurs ? .internalError : .unavailable, "\(base.absoluteString) answered with status \(status).")
      }
      return isNoMartlet
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
