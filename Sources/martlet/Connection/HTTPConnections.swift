// The connections to servers, kept between requests, and files on their way to them.

import AsyncHTTPClient
import Foundation
import MartletModel
import NIOCore
import Synchronization

/// The HTTP clients of this process: one for each time that answers may take.
///
/// No proxy is ever asked, whatever the environment says, and no redirection followed: tokens go to the server that was
/// named and nowhere else.
enum HTTPConnections {
  private static let clients = Mutex<[Int64: HTTPClient]>([:])

  /// - Parameter timeout: seconds without a byte, after which the server counts as silent.
  static func client(timeout: Int64) -> HTTPClient {
    clients.withLock { clients in
      if let client = clients[timeout] { return client }
      var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
      configuration.timeout = .init(connect: .seconds(min(timeout, 10)), read: .seconds(timeout))
      configuration.httpVersion = .http1Only
      // A kept connection is let go before a server does so, in the midst of a request perhaps.
      configuration.connectionPool.idleTimeout = .seconds(10)
      // A server that is not there is told at once; who wants to wait asks again.
      configuration.connectionPool.retryConnectionEstablishment = false
      // Never shut down: it lives as long as the process.
      let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
      clients[timeout] = client
      return client
    }
  }
}

/// A file's content, read piece by piece as it is sent.
struct FilePieces: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  /// Bytes, when it was opened.
  let size: Int64
  private let file: OpenFile

  fileprivate final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
  }

  /// - Throws: `Failure` when it cannot be read.
  init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw unreadable("\(path) cannot be read: \(String(cString: strerror(errno))).")
    }
    file = OpenFile(descriptor)
    size = Int64(lseek(descriptor, 0, SEEK_END))
  }

  func makeAsyncIterator() -> Iterator { Iterator(file: file, size: size) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let file: OpenFile
    fileprivate let size: Int64
    private var offset: Int64 = 0

    fileprivate init(file: OpenFile, size: Int64) { (self.file, self.size) = (file, size) }

    private static let piece: Int64 = 256 << 10

    /// Exactly as many bytes as were announced: what was appended since is left out.
    mutating func next() async throws -> ByteBuffer? {
      let count = Int(Swift.min(Self.piece, size - offset))
      guard count > 0 else { return nil }
      let (file, offset) = (file, offset)
      let buffer = try await blocking {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
          let read = pread(file.descriptor, bytes.baseAddress, count, off_t(offset))
          guard read > 0 else { throw unreadable("A file that was being sent has become shorter.") }
          return read
        }
        return buffer
      }
      self.offset += Int64(buffer.readableBytes)
      return buffer
    }
  }
}

/// Within a sequence, `Failure` is another word's name.
private func unreadable(_ message: String) -> Failure { Failure(.notFound, message) }
