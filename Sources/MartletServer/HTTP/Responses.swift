// Answers: JSON, problems, and the headers that stand on all of them.

import HTTPTypes
import Hummingbird
import MartletModel
import OrderedCollections

extension HTTPField.Name {
  // Names that HTTPTypes has no constant for; the literals are valid, so none of these is nil.
  static let host = custom("Host")
  static let contentSecurityPolicy = custom("Content-Security-Policy")
  static let contentTypeOptions = custom("X-Content-Type-Options")
  static let referrerPolicy = custom("Referrer-Policy")
  static let openerPolicy = custom("Cross-Origin-Opener-Policy")
  static let resourcePolicy = custom("Cross-Origin-Resource-Policy")
  static let next = custom("Martlet-Next")
  static let forwardedFor = custom("X-Forwarded-For")
  static let forwardedProto = custom("X-Forwarded-Proto")

  private static func custom(_ name: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is no name of a header") }
    return name
  }
}

extension Response {
  static func json(_ value: JSONValue, status: Int = 200) -> Response {
    json(bytes: value.bytes(), status: status)
  }

  static func json(bytes: [UInt8], status: Int = 200) -> Response {
    Response(
      status: .init(code: status), headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  static func problem(_ problem: Problem) -> Response {
    var response = json(problem.json, status: problem.code.status)
    switch problem.code {
    case .unauthenticated: response.headers[.wwwAuthenticate] = "Bearer realm=\"martlet\""
    case .tooManyRequests:
      response.headers[.retryAfter] = String(problem.details["retry_after_s"]?.int ?? 60)
    case .unavailable: response.headers[.retryAfter] = String(problem.details["retry_after_s"]?.int ?? 1)
    case .upgradeRequired: response.headers[.upgrade] = "websocket"
    case .methodNotAllowed:
      response.headers[.allow] = problem.details["allow"]?.array?.compactMap(\.string).joined(separator: ", ")
    case .rangeNotSatisfiable:
      response.headers[.contentRange] = problem.details["size"]?.int.map { "bytes */\($0)" }
    case .badRequest, .forbidden, .notFound, .conflict, .tooLarge, .unprocessable, .internal: break
    }
    return response
  }

  /// The headers that every answer carries; what a route set itself stays.
  mutating func addSecurityHeaders() {
    let all: [(HTTPField.Name, String)] = [
      (.contentSecurityPolicy, contentSecurityPolicy), (.contentTypeOptions, "nosniff"),
      (.referrerPolicy, "no-referrer"), (.openerPolicy, "same-origin"), (.resourcePolicy, "same-origin"),
    ]
    for (name, value) in all where !headers.contains(name) { headers[name] = value }
  }
}

private let contentSecurityPolicy = [
  "default-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'", "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'", "frame-ancestors 'none'",
].joined(separator: "; ")

/// `Content-Disposition` after RFC 6266 with RFC 8187: names are labels and hold anything.
///
/// - Parameter kind: `attachment` or `inline`.
func disposition(_ kind: String, name: String) -> String {
  var plain = ""
  var escaped = ""
  for byte in name.utf8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      plain.append(Character(Unicode.Scalar(byte)))
      escaped.append(Character(Unicode.Scalar(byte)))
    default:
      plain.append("_")
      escaped += "%" + hexadecimal([byte])
    }
  }
  return "\(kind); filename=\"\(plain)\"; filename*=UTF-8''\(escaped)"
}
