// Requests as tests write them, and answers taken apart.

import MartletModel

struct HTTPAnswer: Sendable {
  var status: Int
  /// Names in lower case.
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
  /// The code of an error answer.
  var code: String? { json["error"]?["code"]?.string }
  var message: String? { json["error"]?["message"]?.string }
  var hint: String? { json["error"]?["hint"]?.string }
}

extension TestServer {
  /// One request over a connection of its own; `host` nil: this server's address.
  func request(
    _ method: String, _ path: String, token: String? = nil, headers: [(String, String)] = [],
    body: [UInt8]? = nil,
    host: String? = nil
  ) async throws -> HTTPAnswer {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Connection: close"]
    if let token { lines.append("Authorization: Bearer \(token)") }
    lines += headers.map { "\($0.0): \($0.1)" }
    if let body { lines.append("Content-Length: \(body.count)") }
    return try await exchange(
      Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? []), method: method)
  }

  /// Sends `bytes` as they are and reads one answer.
  ///
  /// A server that refuses a request may hang up before it has read all of it: its answer is there all the same.
  func exchange(_ bytes: [UInt8], method: String = "GET") async throws -> HTTPAnswer {
    let socket = try Socket(port: port)
    do { try await socket.send(bytes) } catch is SocketError {}
    return try await readAnswer(from: socket, hasBody: method != "HEAD")
  }

  func get(_ path: String, token: String? = nil, headers: [(String, String)] = []) async throws -> HTTPAnswer
  {
    try await request("GET", path, token: token ?? self.token, headers: headers)
  }

  func send(
    _ method: String, _ path: String, _ body: JSONValue, token: String? = nil
  ) async throws -> HTTPAnswer {
    try await request(
      method, path, token: token ?? self.token, headers: [("Content-Type", "application/json")],
      body: body.bytes())
  }

  func post(_ path: String, _ body: JSONValue, token: String? = nil) async throws -> HTTPAnswer {
    try await send("POST", path, body, token: token)
  }
}

/// Reads a head and as much of a body as it announces, or all there is.
func readAnswer(from socket: Socket, hasBody: Bool = true) async throws -> HTTPAnswer {
  var bytes: [UInt8] = []
  var end: Int?
  while end == nil {
    let more = try await socket.receive()
    guard !more.isEmpty else { throw SocketError(what: "the connection ended before an answer") }
    bytes += more
    end = bytes.indices.dropLast(3).first { Array(bytes[$0..<($0 + 4)]) == [13, 10, 13, 10] }
  }
  let lines = String(decoding: bytes[..<(end ?? 0)], as: UTF8.self).split(separator: "\r\n")
  guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
    throw SocketError(what: "no status line")
  }
  var headers: [String: String] = [:]
  for line in lines.dropFirst() {
    let parts = line.split(separator: ":", maxSplits: 1)
    headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
  }
  var body = Array(bytes[((end ?? 0) + 4)...])
  let hasNone = !hasBody || status == 101 || status == 204 || status == 304
  let length = hasNone ? 0 : headers["content-length"].flatMap { Int($0) }
  while length.map({ body.count < $0 }) ?? true {
    let more = try await socket.receive()
    if more.isEmpty { break }
    body += more
  }
  if headers["transfer-encoding"] == "chunked" { body = try unchunked(body) }
  return HTTPAnswer(status: status, headers: headers, body: body)
}

/// What a chunked body holds (RFC 9112 §7.1); a body that was cut off is an error.
private func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
  var out: [UInt8] = []
  var rest = bytes[...]
  while let end = rest.firstIndex(of: 13),
    let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16)
  {
    if size == 0 { return out }
    let start = end + 2
    guard rest.endIndex >= start + size + 2 else { break }
    out += rest[start..<(start + size)]
    rest = rest[(start + size + 2)...]
  }
  throw SocketError(what: "the body was cut off")
}
