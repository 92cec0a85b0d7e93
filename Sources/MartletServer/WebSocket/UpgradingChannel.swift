// One port for both: HTTP/1.1 as Hummingbird serves it, and its upgrade to WebSocket.

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// A connection that was upgraded: the request that asked for it, and whole messages from then on.
struct WebSocketConnection: Sendable {
  let head: HTTPRequestHead
  let frames: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
}

/// Hummingbird's child channel with NIO's typed upgrade in front of it.
struct UpgradingChannel: ServerChildChannel, HTTPChannelHandler {
  enum Negotiated: Sendable {
    case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, ClientPresence)
    case webSocket(WebSocketConnection)
  }

  struct Value: ServerChildChannelValue {
    let negotiated: EventLoopFuture<Negotiated>
    let channel: any Channel
  }

  /// The largest message of a client, in bytes; a larger one closes the connection with 1009.
  static let maximumMessageSize = 1 << 20
  /// How many frames a message may be cut into.
  static let maximumFragments = 4096

  let responder: HTTPChannelHandler.Responder
  /// A connection must send its first request within this time.
  let firstRequestTimeout: TimeAmount
  /// A connection without a request for this long is closed.
  let idleTimeout: Duration
  /// Decides at once, by path, Host and Origin; what is not accepted goes to the router like any request.
  let acceptsUpgrade: @Sendable (HTTPRequestHead, any Channel) -> Bool
  let serve: @Sendable (WebSocketConnection, Logger) async -> Void

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Negotiated>(
        upgradeConfiguration: .init(
          upgraders: [upgrader],
          notUpgradingCompletionHandler: { channel in
            channel.eventLoop.makeCompletedFuture { try httpChannel(channel, logger: logger) }
          }))
      // NIOAsyncChannel keeps requests in order, and Hummingbird answers errors and checks headers.
      configuration.enablePipelining = false
      configuration.enableErrorHandling = false
      configuration.enableResponseHeaderValidation = false
      let negotiated = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
        configuration: configuration)
      let upgradeHandler = try channel.pipeline.syncOperations.handler(
        type: NIOTypedHTTPServerUpgradeHandler<Negotiated>.self)
      try channel.pipeline.syncOperations.addHandler(
        UpgradeGate(accepts: acceptsUpgrade), position: .before(upgradeHandler))
      // The future of a connection that never sends a request would never be resolved.
      let timeout = channel.eventLoop.scheduleTask(in: firstRequestTimeout) { channel.close(promise: nil) }
      negotiated.whenComplete { _ in timeout.cancel() }
      return Value(negotiated: negotiated, channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.negotiated.get() {
      case .http(let channel, let presence):
        await ClientPresence.$current.withValue(presence) {
          await handleHTTP(asyncChannel: channel, logger: logger)
        }
      case .webSocket(let connection): await serve(connection, logger)
      }
    } catch {
      // The connection went away before its first request was read: nobody is left to tell.
      logger.debug("A connection ended before its first request.", metadata: ["error": "\(error)"])
      value.channel.close(promise: nil)
    }
  }

  private var upgrader: NIOTypedWebSocketServerUpgrader<Negotiated> {
    NIOTypedWebSocketServerUpgrader(
      maxFrameSize: Self.maximumMessageSize,
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(FrameCheck())
          // Joins fragments; control frames pass between them.
          try pipeline.addHandler(
            NIOWebSocketFrameAggregator(
              minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: Self.maximumFragments,
              maxAccumulatedFrameSize: Self.maximumMessageSize))
          try pipeline.addHandler(FragmentErrors())
          return .webSocket(
            WebSocketConnection(
              head: head, frames: try NIOAsyncChannel(wrappingChannelSynchronously: channel)))
        }
      })
  }

  /// The same handlers as Hummingbird's own HTTP/1.1 channel, and one that hears when the client leaves.
  private func httpChannel(_ channel: any Channel, logger: Logger) throws -> Negotiated {
    let pipeline = channel.pipeline.syncOperations
    let watch = ClientWatch()
    try pipeline.addHandler(watch)
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
    let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
      wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    return .http(http, watch.presence)
  }
}
