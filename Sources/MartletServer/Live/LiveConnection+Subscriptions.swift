// Signing in and subscribing: what a client of the live feed may hear is settled here.

import MartletModel
import MartletOrchestration
import MartletTracking
import NIOCore
import NIOHTTP1
import NIOWebSocket
import OrderedCollections
import Synchronization

/// What a subscription follows by itself, apart from rows.
enum Follow: Sendable {
  case log(LogFollow)
  case pool(PoolFollow)
}

/// A log that a subscription follows.
struct LogFollow: Sendable {
  var subscription: UInt32
  var generation: UInt64
  var place: LogPlace
  var access: Access
}

extension LiveConnection {
  /// Bytes of a log in one message.
  private static let logPiece = 512 << 10

  /// A program's token comes with the upgrade, and an open server asks for none.
  func greet() async {
    let headers = head.headers
    if let header = headers.first(name: "authorization") {
      await enter(bearerToken(header))
    } else if let access = unaskedAccess {
      begin(access, token: nil)
    }
  }

  func signIn(_ token: String) async {
    // A page signs in without looking whether the server asks for it.
    guard state.withLock({ $0.access == nil }) else { return }
    await enter(token.isEmpty ? nil : Secret(text: token))
  }

  private var unaskedAccess: Access? {
    services.gatekeeper.unaskedAccess(isForwarded: isForwarded(head.headers.contains), channel)
  }

  private func enter(_ token: Secret?) async {
    do {
      guard let token else { throw Problem(.unauthenticated, "There is no token.") }
      begin(try await services.gatekeeper.access(of: token), token: token)
    } catch let problem as Problem where problem.code == .unauthenticated {
      close(.noValidToken, reason: "the token is not valid")
    } catch {
      _ = services.problem(for: error, doing: "Signing in to the live feed")
      close(.unexpectedServerError)
    }
  }

  private func begin(_ access: Access, token: Secret?) {
    let feed = services.tracking.feed
    var session = LiveSession(access: access, epoch: feed.epoch)
    session.greet(sequence: feed.sequence)
    let ready = session
    state.withLock { ($0.session, $0.access, $0.token) = (ready, access, token) }
    services.liveConnections.add(self, token: access.token)
    // Weak: the feed must not keep a connection alive, nor the connection itself.
    let place = feed.subscribe { [weak self] sequence, event in self?.note(sequence, event) }
    state.withLock { $0.feed = place }
    ring()
  }

  /// Called under the feed's lock.
  private func note(_ sequence: UInt64, _ event: FeedEvent) {
    if state.withLock({ $0.session?.receive(sequence, event) ?? false }) { ring() }
  }

  // MARK: - Subscriptions

  func act(on message: LiveMessage, _ access: Access) async {
    switch message {
    case .auth: break
    case .unsubscribe(let id): state.withLock { $0.session?.unsubscribe(id) }
    case .subscribe(let id, let topic, let start):
      do {
        try await subscribe(id, to: topic, start, access)
      } catch {
        let problem = services.problem(for: error, doing: "Subscribing to the live feed")
        state.withLock { $0.session?.refuse(id, problem) }
      }
      ring()
    }
  }

  private func subscribe(
    _ id: UInt32, to topic: LiveTopic, _ start: LiveStart, _ access: Access
  ) async throws {
    guard access.scopes.contains(.read) else {
      throw Problem(.forbidden, "The live feed needs a token with the scope 'read'.")
    }
    let topic = try await permitted(topic, access)
    // Who replaces a subscription has not been away; and what was taken for the one before may still be on its way.
    let since = state.withLock { $0.session?.subscriptions[id] == nil } ? start.since : nil
    let generation = try state.withLock { try $0.session?.subscribe(id, to: topic) }
    guard let generation else { return }
    if case .sweep(let sweep) = topic {
      // Read after the subscription began, so that no change falls in between.
      let row = try await services.engine.sweep(sweep, access: access)
      state.withLock { $0.session?.remember(row, for: id) }
    }
    // Asked after the subscription began, and before the session is locked: an event takes the two locks in the other
    // order.
    let feed = services.tracking.feed
    let missed = since.flatMap { feed.changes(after: $0.sequence, epoch: $0.epoch) }
    let sequence = feed.sequence
    let gone = try await runsGone(of: topic, missed: missed, access)
    let beginning: LiveSession.Beginning =
      if let since, let missed {
        .resumed(since: since.sequence, missed: missed)
      } else {
        start.since == nil ? .anew : .reset
      }
    state.withLock {
      $0.session?.takeOut(gone, of: id)
      $0.session?.announce(id, sequence: sequence, beginning, wantsSnapshot: start.wantsSnapshot)
    }
    switch topic {
    case .log(let place):
      begin(.log(LogFollow(subscription: id, generation: generation, place: place, access: access)))
    case .pool: begin(.pool(PoolFollow(subscription: id, generation: generation, access: access)))
    case .runs, .run, .sweep, .sweeps, .points, .systemPoints: break
    }
    if state.withLock({ $0.session?.isHeld(id, generation: generation) ?? false }) {
      ring()
      try await readSweeps(
        for: id, generation: generation, topic, missed: missed, from: sequence, access)
      state.withLock { $0.session?.release(id, generation: generation) }
      ring()
    }
    readDebts()
  }

  /// The topic with the project's name in it, once everything it names has been found and may be seen; but runs of a
  /// subscription to points, which `runsGone` looks for.
  private func permitted(_ topic: LiveTopic, _ access: Access) async throws -> LiveTopic {
    switch topic {
    case .runs(let project?):
      return .runs(project: try await services.tracking.project(project, access: access).name)
    case .runs(nil), .sweeps, .pool: break
    case .run(let id): try await services.tracking.check([id], access: access)
    case .sweep(let id): _ = try await services.engine.sweep(id, access: access)
    case .points(let runs, _), .systemPoints(let runs, _):
      guard runs.count <= LiveSession.maximumRuns else {
        throw Problem(
          .unprocessable,
          "Points of \(runs.count) runs were asked for; \(LiveSession.maximumRuns) runs are allowed at once.",
          hint: "Name fewer runs, or share them among several subscriptions.")
      }
    case .log(let place): try await services.tracking.check([place.run], access: access)
    }
    return topic
  }

  // MARK: - Logs

  /// Reads on in a log as long as the subscription stands and the log grows; never ahead of the client.
  func keepUp(with follow: LogFollow) async {
    var (offset, attempt) = (follow.place.offset, follow.place.attempt)
    do {
      while true {
        var pause = timing.logPoll
        switch state.withLock({
          $0.session?.logAppetite(follow.subscription, generation: follow.generation) ?? .gone
        }) {
        case .gone: return
        case .full: break
        case .hungry:
          var slice = try await services.tracking.log(
            follow.place.run, stream: follow.place.stream, attempt: attempt, offset: offset,
            limit: Self.logPiece,
            access: follow.access)
          (offset, attempt) = (slice.nextOffset, slice.attempt)
          let isWhole = slice.nextOffset >= slice.size
          slice.ended = slice.ended && isWhole
          if slice.nextOffset > slice.offset || slice.ended {
            let piece = slice
            state.withLock {
              $0.session?.offer(piece, to: follow.subscription, generation: follow.generation)
            }
            ring()
          }
          if slice.ended { return }
          if !isWhole { pause = .milliseconds(20) }
        }
        try await Task.sleep(for: pause)
      }
    } catch is CancellationError {
      // The connection ended.
    } catch {
      let problem = services.problem(for: error, doing: "Following a log")
      state.withLock {
        $0.session?.refuse(follow.subscription, generation: follow.generation, problem)
      }
      ring()
    }
  }
}
