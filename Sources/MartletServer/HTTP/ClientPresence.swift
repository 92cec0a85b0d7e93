// Whether the client of a connection is still there.

import MartletModel
import NIOCore
import Synchronization

/// Ends what is computed for a client that has left.
///
/// A client has left when it closes its side of the connection, as programs do that end, and pages that are left: that
/// it may want to read on all the same is nothing that a server could tell, and no client of HTTP that is known does so.
final class ClientPresence: Sendable {
  private struct State {
    var hasLeft = false
    var newest = 0
    var ends: [Int: @Sendable () -> Void] = [:]
  }

  /// Of the connection whose request is being answered.
  @TaskLocal static var current: ClientPresence?

  private let state = Mutex(State())

  var hasLeft: Bool { state.withLock(\.hasLeft) }

  /// Runs `body`, whose task is cancelled when the client leaves.
  func whileThere<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let task = Task { try await body() }
    let number: Int? = state.withLock { state in
      guard !state.hasLeft else { return nil }
      state.newest += 1
      state.ends[state.newest] = { task.cancel() }
      return state.newest
    }
    if number == nil { task.cancel() }
    defer { if let number { state.withLock { _ = $0.ends.removeValue(forKey: number) } } }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  fileprivate func leave() {
    let ends = state.withLock { state in
      defer { (state.hasLeft, state.ends) = (true, [:]) }
      return state.ends.values
    }
    for end in ends { end() }
  }
}

/// Hears in a connection's pipeline that the client leaves.
final class ClientWatch: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  let presence = ClientPresence()

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { presence.leave() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    presence.leave()
    context.fireChannelInactive()
  }
}
