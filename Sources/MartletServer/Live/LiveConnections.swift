// The clients of the live feed that are connected now.

import MartletModel
import NIOWebSocket
import Synchronization

final class LiveConnections: Sendable {
  private let connections = Mutex<[ObjectIdentifier: (token: PublicID?, connection: LiveConnection)]>([:])

  func add(_ connection: LiveConnection, token: PublicID?) {
    connections.withLock { $0[ObjectIdentifier(connection)] = (token, connection) }
  }

  func remove(_ connection: LiveConnection) {
    connections.withLock { connections in _ = connections.removeValue(forKey: ObjectIdentifier(connection)) }
  }

  /// Ends the connections of a token that was revoked.
  func close(token: PublicID) {
    let ended = connections.withLock { $0.values.filter { $0.token == token }.map(\.connection) }
    for connection in ended { connection.close(.noValidToken, reason: "the token was revoked") }
  }
}

extension WebSocketErrorCode {
  static let noValidToken = WebSocketErrorCode.unknown(4401)
  static let unreadableMessage = WebSocketErrorCode.unknown(4400)
}
