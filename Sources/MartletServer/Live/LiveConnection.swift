// One client of the live feed: reads its messages, tells it what changed, at its own pace.

import Hummingbird
import Logging
import MartletModel
import MartletOrchestration
import MartletTracking
import NIOCore
import NIOHTTP1
import NIOWebSocket
import OrderedCollections
import ServiceLifecycle
import Synchronization

/// How long things take on a connection.
struct LiveTiming: Sendable {
  /// Until the token must have come.
  var authentication = Duration.seconds(5)
  /// Between two messages about changes: at most two a second.
  var rhythm = Duration.milliseconds(500)
  var ping = Duration.seconds(20)
  /// Without a sign of life the connection is closed.
  var silence = Duration.seconds(60)
  /// Between two looks at a log.
  var logPoll = Duration.milliseconds(300)
  /// Until a client must have answered a closing frame.
  var closing = TimeAmount.seconds(2)
}

/// The I/O around a `LiveSession`.
///
/// Events of the feed are noted under the session's lock and nothing more; one task sends, and while it waits for a
/// slow client the session gathers. So no client ever holds up the feed, or another client.
final class LiveConnection: Sendable {
  struct State {
    var session: LiveSession?
    var token: Secret?
    var access: Access?
    var feed: FeedSubscription?
    var lastHeard = ContinuousClock.now
    var isPingDue = false
    var pong: ByteBuffer?
    var closing: WebSocketFrame?
  }

  let services: Services
  let timing: LiveTiming
  let state = Mutex(State())
  private let connection: WebSocketConnection
  private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  private let alarms = AsyncStream.makeStream(
    of: ContinuousClock.Instant.self, bufferingPolicy: .bufferingNewest(1))
  private let follows = AsyncStream.makeStream(of: Follow.self)
  let debts = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  init(_ connection: WebSocketConnection, services: Services, timing: LiveTiming) {
    self.connection = connection
    self.services = services
    self.timing = timing
  }

  var channel: any Channel { connection.frames.channel }
  /// The request that asked for the upgrade.
  var head: HTTPRequestHead { connection.head }

  /// Serves the client until one of the two closes the connection.
  func run() async {
    await withGracefulShutdownHandler {
      do {
        try await connection.frames.executeThenClose { inbound, outbound in
          try await exchange(inbound, outbound)
        }
      } catch {
        // The connection broke, or was cut: there is nobody left to tell.
        services.logger.debug("A live connection broke.", metadata: ["error": "\(error)"])
      }
    } onGracefulShutdown: {
      self.close(.goingAway)
    }
    services.liveConnections.remove(self)
    state.withLock { $0.feed }?.cancel()
  }

  private func exchange(
    _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>,
    _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
  ) async throws {
    async let sending: Void = send(to: outbound)
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.soundAlarms() }
      group.addTask { try await self.watch() }
      group.addTask { await self.follow() }
      group.addTask { await self.payDebts() }
      await greet()
      do {
        for try await frame in inbound where try await !receive(frame) { break }
      } catch {
        services.logger.debug("A live connection can be read no further.", metadata: ["error": "\(error)"])
      }
      group.cancelAll()
    }
    // The sender says good-bye if that is still to be said.
    bell.continuation.finish()
    try await sending
  }

  // MARK: - Closing

  /// Sends a closing frame; a client that does not answer it is cut off.
  func close(_ code: WebSocketErrorCode, reason: String = "") {
    close(.close(code, reason: String(decoding: Array(reason.utf8.prefix(100)), as: UTF8.self)))
  }

  private func close(_ frame: WebSocketFrame) {
    let isFirst = state.withLock { state in
      guard state.closing == nil else { return false }
      state.closing = frame
      return true
    }
    guard isFirst else { return }
    bell.continuation.yield()
    let channel = channel
    channel.eventLoop.scheduleTask(in: timing.closing) { channel.close(promise: nil) }
  }

  // MARK: - Receiving

  /// False when the connection is at its end.
  private func receive(_ frame: WebSocketFrame) async throws -> Bool {
    state.withLock { $0.lastHeard = .now }
    switch frame.opcode {
    case .ping:
      state.withLock { $0.pong = frame.unmaskedData }
      ring()
    case .pong: break
    case .connectionClose:
      close(WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData))
      return false
    case .text:
      guard state.withLock({ $0.closing == nil }) else { return true }
      await receive(text: Array(frame.unmaskedData.readableBytesView))
    case .binary: close(.unreadableMessage, reason: "messages are JSON text")
    default: close(.protocolError)
    }
    return true
  }

  private func receive(text: [UInt8]) async {
    guard String(validating: text, as: UTF8.self) != nil else { return close(.dataInconsistentWithMessage) }
    do {
      let message = try LiveMessage(text: text)
      if case .auth(let token) = message {
        await signIn(token)
      } else if let access = state.withLock({ $0.access }) {
        await act(on: message, access)
        if state.withLock({ $0.session?.isFlooded ?? false }) {
          close(.policyViolation, reason: "too many answers wait to be read")
        }
      } else {
        close(.noValidToken, reason: "the first message must be auth")
      }
    } catch {
      close(.unreadableMessage, reason: error.reason)
    }
  }

  // MARK: - Sending

  /// Something is to be said.
  func ring() { bell.continuation.yield() }

  /// Rows may be owed to the client.
  func readDebts() { debts.continuation.yield() }

  private func send(to outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>) async throws {
    var next = ContinuousClock.now
    for await _ in bell.stream {
      if try await sendReplies(to: outbound) { return }
      let (hasChanges, isOwing) = state.withLock {
        ($0.session?.hasChanges ?? false, $0.session?.isBehind ?? false)
      }
      guard hasChanges else {
        // All that waits may have become newer than what is owed, since it was last sent: nobody else would ask for that.
        if isOwing { readDebts() }
        continue
      }
      if ContinuousClock.now < next {
        alarms.continuation.yield(next)
        continue
      }
      for frame in state.withLock({ $0.session?.takeChanges() ?? [] }) {
        try await outbound.write(frame.webSocketFrame)
        // What a client asked for in the meantime does not wait behind many rows.
        if try await sendReplies(to: outbound, isAmidChanges: true) { return }
      }
      // Who is behind hears a page of rows at a time, and need not wait half a second for each.
      let isBehind = state.withLock { $0.session?.isBehind ?? false }
      next = ContinuousClock.now + (isBehind ? timing.rhythm / 20 : timing.rhythm)
      if isBehind { readDebts() }
    }
    // The bell may have fallen silent before the good-bye was said.
    _ = try await sendReplies(to: outbound)
  }

  /// Everything but changes. True when the closing frame was sent: nothing may follow it.
  ///
  /// - Parameter isAmidChanges: some that were taken are not sent yet.
  private func sendReplies(
    to outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>, isAmidChanges: Bool = false
  ) async throws -> Bool {
    // Read before the session is locked: it has heard of all up to this one.
    let sequence = services.tracking.feed.sequence
    let (pong, isPingDue, replies, closing, isUpToDate) = state.withLock { state in
      defer { (state.pong, state.isPingDue) = (nil, false) }
      return (
        state.pong, state.isPingDue, state.session?.takeReplies() ?? [], state.closing,
        // Asked only where it is told: it looks at all that is owed.
        state.isPingDue ? state.session?.isUpToDate ?? false : false
      )
    }
    if let pong { try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: pong)) }
    if closing == nil {
      for reply in replies { try await outbound.write(reply.webSocketFrame) }
      if isPingDue {
        try await outbound.write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()))
        // Pages cannot see pings, and want to know that the line is alive.
        var ping: JSONObject = ["type": "ping"]
        if isUpToDate, !isAmidChanges { ping["seq"] = .int(Int64(sequence)) }
        try await outbound.write(LiveFrame.message(.object(ping)).webSocketFrame)
      }
    }
    guard let closing else { return false }
    try await outbound.write(closing)
    return true
  }

  private func soundAlarms() async throws {
    for await time in alarms.stream {
      try await Task.sleep(until: time)
      ring()
    }
  }

  // MARK: - Watching

  /// Closes the connection when no token came, when the client is silent for too long, or when its token ended.
  private func watch() async throws {
    try await Task.sleep(for: timing.authentication)
    guard state.withLock({ $0.session != nil }) else { return close(.noValidToken, reason: "no token came") }
    while true {
      try await Task.sleep(for: timing.ping)
      let (heard, token) = state.withLock { state in
        state.isPingDue = true
        return (state.lastHeard, state.token)
      }
      if ContinuousClock.now - heard >= timing.silence { return channel.close(promise: nil) }
      ring()
      guard let token else { continue }
      do {
        if try await services.authenticator.access(of: token) == nil {
          return close(.noValidToken, reason: "the token has expired or was revoked")
        }
      } catch {
        services.logger.warning(
          "A live connection's token could not be checked.", metadata: ["error": "\(error)"])
      }
    }
  }

  private func follow() async {
    await withDiscardingTaskGroup { group in
      for await follow in follows.stream {
        group.addTask {
          switch follow {
          case .log(let log): await self.keepUp(with: log)
          case .pool(let pool): await self.keepUp(with: pool)
          }
        }
      }
      group.cancelAll()
    }
  }

  func begin(_ follow: Follow) { follows.continuation.yield(follow) }
}
