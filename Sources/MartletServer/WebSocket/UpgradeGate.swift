// Stands before NIO's upgrade handler and sees the first request of a connection.

import MartletModel
import NIOCore
import NIOHTTP1

/// Lets only those upgrades reach NIO that will succeed.
///
/// NIO's typed upgrade handler drops a request whose upgrade is refused or unknown (`Upgrade: h2c`, as `curl --http2`
/// sends it), and the client waits for ever: without the Upgrade header it is an ordinary request for the router.
final class UpgradeGate: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let accepts: @Sendable (HTTPRequestHead, any Channel) -> Bool
  private var sawFirstHead = false

  init(accepts: @escaping @Sendable (HTTPRequestHead, any Channel) -> Bool) { self.accepts = accepts }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !sawFirstHead, case .head(var head) = unwrapInboundIn(data) else {
      return context.fireChannelRead(data)
    }
    sawFirstHead = true
    if head.headers.contains(name: "upgrade"), !isUpgrade(head) || !accepts(head, context.channel) {
      head.headers.remove(name: "upgrade")
    }
    // RFC 9110 §10.1.1: a client of HTTP/1.0 would take 100 for the answer.
    if head.version == .http1_0 { head.headers.remove(name: "expect") }
    // HTTP/1.0 clients read until the end of the connection unless they say otherwise; Hummingbird goes by the header.
    if head.version == .http1_0,
      !head.headers[canonicalForm: "connection"].contains(where: { $0 == "keep-alive" })
    {
      head.headers.replaceOrAdd(name: "connection", value: "close")
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  /// RFC 6455 §4.2.1.
  private func isUpgrade(_ head: HTTPRequestHead) -> Bool {
    let headers = head.headers
    return head.method == .GET && head.version == .http1_1
      && headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
      && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
      && headers["sec-websocket-version"] == ["13"] && headers["sec-websocket-key"].count == 1
  }

  /// Before the first request is read nobody else answers what is no HTTP.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !sawFirstHead, error is HTTPParserError else { return context.fireErrorCaught(error) }
    sawFirstHead = true
    let body = ByteBuffer(
      bytes: Problem(.badRequest, "The request is not HTTP/1.1 as it should be.").json.bytes())
    var head = HTTPResponseHead(version: .http1_1, status: .badRequest)
    head.headers = [
      "content-type": "application/json", "content-length": String(body.readableBytes), "connection": "close",
    ]
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }

  /// A browser opens connections ahead of time: those that never asked for anything must not hold up the end.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent, !sawFirstHead { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}
