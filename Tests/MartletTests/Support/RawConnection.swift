// A connection to the server byte by byte: what no HTTP library lets one send.

import Foundation
import MartletTestSupport

/// A TCP connection to loopback.
final class RawConnection: Sendable {
  private let descriptor: Int32
  private let port: UInt16

  init(to url: String) throws {
    guard let port = URL(string: url)?.port.flatMap({ UInt16(exactly: $0) }) else {
      throw Unexpected("'\(url)' has no port")
    }
    self.port = port
    descriptor = try Self.connected(to: port)
  }

  deinit { close(descriptor) }

  private static func connected(to port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Unexpected("no socket: errno \(errno)") }
    // Neither a connection nor a write waits for ever, or for the minutes that the system would.
    var limit = timeval()
    limit.tv_sec = 60
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    guard status == 0 else {
      let code = errno
      close(descriptor)
      throw Unexpected("no connection to port \(port): errno \(code)")
    }
    return descriptor
  }

  /// Whether anyone takes new connections there.
  static func isAccepted(by url: String) -> Bool { (try? RawConnection(to: url)) != nil }

  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    let count = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    guard count == bytes.count else { throw Unexpected("sent \(count) of \(bytes.count): errno \(errno)") }
  }

  /// All that comes until the other side closes.
  func rest(within seconds: Double = 60) async throws -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    let isClosed = try await eventually(within: seconds) {
      while true {
        let count = recv(descriptor, &piece, piece.count, Int32(MSG_DONTWAIT))
        if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
        guard count > 0 else { return false }
        bytes += piece[..<count]
      }
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard isClosed else { throw Unexpected("the server does not close the connection; it sent: \(text)") }
    return text
  }

  /// Whether the server has taken in every byte sent so far: nothing waits in its end's queue.
  func isTakenIn() throws -> Bool {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    guard status == 0 else { throw Unexpected("no name of the socket: errno \(errno)") }
    let own = String(format: ":%04X", UInt16(bigEndian: address.sin_port))
    let theirs = String(format: ":%04X", port)
    for line in try Self.connections().split(separator: "\n") {
      // Number, local address, remote address, state, queues to send and to read.
      let fields = line.split(separator: " ")
      guard fields.count > 4, fields[1].hasSuffix(theirs), fields[2].hasSuffix(own) else { continue }
      return fields[4].hasSuffix(":00000000")
    }
    return false
  }

  /// The system's table of TCP connections. Its size is told as nothing and it comes in pieces, so it is read until
  /// there is no more; Foundation stops earlier.
  static func connections() throws -> String {
    let file = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Unexpected("/proc/net/tcp cannot be read: errno \(errno)") }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(file, &piece, piece.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
  }
}

extension Workplace {
  /// The local user's token.
  var token: String {
    get throws { try text(of: data + "/token").trimmingCharacters(in: .whitespacesAndNewlines) }
  }

  /// A request to the server that is up here, written out as it stands; the answer's head and body.
  func request(
    _ method: String, _ path: String, host: String = "localhost", token: String?, body: String? = nil,
    type: String = "application/json"
  ) async throws -> String {
    let connection = try RawConnection(to: announcedURL)
    try connection.write(
      Self.head(method, path, host: host, token: token, length: body?.utf8.count, type: type) + (body ?? ""))
    return try await connection.rest()
  }

  /// The head of a request after whose answer the connection ends.
  static func head(
    _ method: String, _ path: String, host: String = "localhost", token: String?, length: Int?,
    type: String = "application/json"
  ) -> String {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"]
    if let token { lines.append("Authorization: Bearer \(token)") }
    if let length { lines += ["Content-Type: \(type)", "Content-Length: \(length)"] }
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
  }
}
