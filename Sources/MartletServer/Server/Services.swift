// What routes and WebSockets work with.

import Logging
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTracking
import NIOHTTP1
import OrderedCollections
import Synchronization

final class Services: Sendable {
  let engine: Engine
  let options: ServerOptions
  let clock: any WallClock
  let startedAt: Timestamp
  let logger: Logger
  let authenticator: Authenticator
  let gatekeeper: Gatekeeper
  let codes = SignInCodes()
  let signInLimit = Mutex(AttemptLimit())
  let addressSigner: AddressSigner
  let liveConnections = LiveConnections()
  let address: ServerAddress
  /// The OpenAPI document.
  let openAPI: [UInt8]
  /// Ends the server as SIGTERM does.
  let shutDown: @Sendable () -> Void
  private let failures = Atomic<Int>(0)

  var store: Store { engine.store }
  var tracking: Tracking { engine.tracking }

  init(
    engine: Engine, options: ServerOptions, address: ServerAddress, addressSigner: AddressSigner,
    routes: [Route], clock: any WallClock, logger: Logger, shutDown: @escaping @Sendable () -> Void
  ) {
    self.engine = engine
    self.addressSigner = addressSigner
    self.options = options
    self.address = address
    self.clock = clock
    self.logger = logger
    self.shutDown = shutDown
    startedAt = clock.now
    authenticator = Authenticator(store: engine.store, clock: clock)
    gatekeeper = Gatekeeper(
      hosts: HostCheck(boundTo: options.host, allowedHosts: options.allowedHosts),
      authenticator: authenticator,
      loopbackAccess: options.openLoopback
        ? Access(principal: engine.localPrincipal, token: nil, scopes: [.admin]) : nil,
      isBehindProxy: options.behindProxy)
    openAPI = OpenAPIDocument(routes: routes).json.bytes()
  }

  /// What to tell of an error: what is the asker's fault in full, what is ours by a number that the log has too.
  func problem(for error: any Error, doing what: String) -> Problem {
    switch error {
    case let problem as Problem:
      if [.internal, .unavailable].contains(problem.code) {
        logger.error("\(what) failed: \(problem)")
      }
      return problem
    case let error as JSONMemberError:
      return Problem(.unprocessable, "\(error.description).", details: ["key": .string(error.key)])
    case let error as JSONSyntaxError:
      return Problem(
        .badRequest, "The body is no JSON: \(error.description).",
        details: ["line": .int(Int64(error.line)), "column": .int(Int64(error.column))])
    case is CancellationError:
      return Problem(.unavailable, "The server is ending.", hint: "Try again when it is up.")
    default:
      let reference = failures.add(1, ordering: .relaxed).newValue
      logger.error("\(what) failed: \(error)", metadata: ["reference": "\(reference)"])
      return Problem(
        .internal, "Something went wrong inside Martlet (reference \(reference)).",
        hint: "The server's log has the details under that number.")
    }
  }
}

/// Under which address the server can be reached; set when it listens.
final class ServerAddress: Sendable {
  private let value = Mutex<(url: String, address: String)>(("", ""))

  var url: String { value.withLock { $0.url } }
  /// Host and port, as listened on.
  var address: String { value.withLock { $0.address } }

  func set(url: String, address: String) { value.withLock { $0 = (url, address) } }
}
