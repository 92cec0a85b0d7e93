// A client of the live feed that can also misbehave.

import Foundation
import MartletModel
import Synchronization

/// RFC 6455, the client's side.
final class WebSocketClient: Sendable {
  enum Event: Sendable {
    case text(JSONValue)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16, String)
    /// The connection ended without a word.
    case end
  }

  let socket: Socket
  private let buffer = Mutex<[UInt8]>([])

  /// - Parameter head: extra header lines.
  init(
    _ server: TestServer, token: String? = nil, path: String = "/api/v1/live", host: String? = nil,
    head: [(String, String)] = [], receiveBuffer: Int32? = nil
  ) async throws {
    socket = try Socket(port: server.port, receiveBuffer: receiveBuffer)
    var lines = [
      "GET \(path) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(server.port)")", "Upgrade: websocket",
      "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    if let token { lines.append("Authorization: Bearer \(token)") }
    lines += head.map { "\($0.0): \($0.1)" }
    try await socket.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    let answer = try await readAnswer(from: socket)
    // The key of RFC 6455 §1.3 and its answer.
    guard answer.status == 101, answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    else {
      throw UpgradeRefused(answer: answer)
    }
    buffer.withLock { $0 = answer.body }
  }

  struct UpgradeRefused: Error { var answer: HTTPAnswer }

  // MARK: - Sending

  func send(_ message: JSONValue) async throws { try await send(opcode: 1, message.bytes()) }

  func send(
    opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0
  ) async throws {
    try await socket.send(
      frame(opcode: opcode, payload, isFinal: isFinal, isMasked: isMasked, reserved: reserved))
  }

  func frame(
    opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0
  ) -> [UInt8] {
    var frame: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let mask: UInt8 = isMasked ? 0x80 : 0
    switch payload.count {
    case ..<126: frame.append(mask | UInt8(payload.count))
    case ..<65_536: frame += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default: frame += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    if isMasked {
      frame += key
      frame += payload.enumerated().map { $1 ^ key[$0 % 4] }
    } else {
      frame += payload
    }
    return frame
  }

  // MARK: - Receiving

  func next() async throws -> Event {
    guard let head = try await take(2) else { return .end }
    var length = Int(head[1] & 0x7F)
    if length >= 126 {
      guard let bytes = try await take(length == 126 ? 2 : 8) else { return .end }
      length = bytes.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let payload = try await take(length) else { return .end }
    switch head[0] & 15 {
    case 1: return .text(try JSONValue.parse(payload))
    case 2: return .binary(payload)
    case 8:
      let code = payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : 1005
      return .close(code, String(decoding: payload.dropFirst(2), as: UTF8.self))
    case 9: return .ping(payload)
    case 10: return .pong(payload)
    case let other: throw SocketError(what: "a frame of the unknown kind \(other)")
    }
  }

  /// The next JSON message of one of these types; everything else is passed over.
  func message(_ types: String...) async throws -> JSONValue {
    while true {
      switch try await next() {
      case .text(let message) where types.contains(message["type"]?.string ?? ""): return message
      case .close(let code, let reason): throw SocketError(what: "closed with \(code) \(reason)")
      case .end: throw SocketError(what: "ended")
      case .text, .binary, .ping, .pong: continue
      }
    }
  }

  /// The code of the closing frame; nil when the connection just ended.
  func closeCode() async throws -> UInt16? {
    while true {
      switch try await next() {
      case .close(let code, _): return code
      case .end: return nil
      case .text, .binary, .ping, .pong: continue
      }
    }
  }

  private func take(_ count: Int) async throws -> [UInt8]? {
    while buffer.withLock(\.count) < count {
      let more = try await socket.receive()
      if more.isEmpty { return nil }
      buffer.withLock { $0 += more }
    }
    return buffer.withLock { buffer in
      defer { buffer.removeFirst(count) }
      return Array(buffer[..<count])
    }
  }
}
