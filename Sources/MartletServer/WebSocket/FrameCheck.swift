// What RFC 6455 asks of a client's frames and NIO does not look at.

import NIOCore
import NIOWebSocket

/// Frames of a client must be masked (§5.1) and carry no extension, since none is negotiated (§5.2).
///
/// It stands before the aggregator, which hands out frames without their mask.
final class FrameCheck: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private var isClosing = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    let frame = unwrapInboundIn(data)
    if frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 { return context.fireChannelRead(data) }
    isClosing = true
    context.writeAndFlush(wrapOutboundOut(.close(.protocolError)), promise: nil)
    context.close(promise: nil)
  }
}

/// Answers fragments that cannot be joined: 1009 for too much, 1002 for a wrong order (§5.4, §7.4.1).
final class FragmentErrors: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? NIOWebSocketFrameAggregator.Error else {
      return context.fireErrorCaught(error)
    }
    let code: WebSocketErrorCode =
      switch error {
      case .accumulatedFrameSizeIsTooLarge, .tooManyFragments: .messageTooLarge
      case .nonFinalFragmentSizeIsTooSmall, .receivedNewFrameWithoutFinishingPrevious,
        .didReceiveFragmentBeforeReceivingTextOrBinaryFrame:
        .protocolError
      }
    context.writeAndFlush(wrapOutboundOut(.close(code)), promise: nil)
    context.close(promise: nil)
  }
}

extension WebSocketFrame {
  /// A closing frame with its code and a reason of at most 123 bytes (§5.5).
  static func close(_ code: WebSocketErrorCode, reason: String = "") -> WebSocketFrame {
    var data = ByteBuffer()
    data.write(webSocketErrorCode: code)
    data.writeString(reason)
    return WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
  }
}
