// A plain TCP connection: tests say byte for byte what a client sends.

import Glibc
import MartletTestSupport
import MartletTracking

struct SocketError: Error { var what: String }

/// Blocking calls run on threads of their own, and end after a minute in which nothing moves.
final class Socket: Sendable {
  private static let patience = 60

  private let descriptor: Int32

  /// Connects to this machine.
  init(port: Int, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(what: "socket") }
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var timeout = timeval(tv_sec: Self.patience, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let descriptor = descriptor
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw SocketError(what: "connect") }
  }

  deinit { close(descriptor) }

  /// Hangs up, without a word.
  func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Says that nothing more is sent; what comes is still read.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// - Throws: `SocketError` when the server has hung up, `Unexpected` when it takes nothing any more.
  func send(_ bytes: [UInt8]) async throws {
    let descriptor = descriptor
    try await blocking {
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN {
          throw Unexpected("the server took nothing for \(Self.patience) seconds")
        }
        guard count > 0 else { throw SocketError(what: "send") }
        sent += count
      }
    }
  }

  /// Some bytes; none at the end of the connection.
  func receive() async throws -> [UInt8] {
    let descriptor = descriptor
    return try await blocking {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      var count = recv(descriptor, &bytes, bytes.count, 0)
      while count < 0, errno == EINTR { count = recv(descriptor, &bytes, bytes.count, 0) }
      if count < 0, errno == ECONNRESET { return [] }
      guard count >= 0 else { throw SocketError(what: "nothing came within \(Self.patience) seconds") }
      return Array(bytes[..<count])
    }
  }
}
