// The server's life: open, listen, serve, end.

import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTracking
import NIOCore
import NIOHTTP1
import OrderedCollections
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Runs a server until SIGTERM, SIGINT or `POST /shutdown`.
///
/// Ending is graceful: nothing new is accepted, requests in flight are answered, WebSockets are closed with 1001, and
/// running attempts go on without the server.
///
/// - Parameter onReady: called once, when the server listens and its work has begun.
/// - Throws: `Problem`: `badRequest` for options that make no sense, `conflict` when the port or the data directory is
///   in use, `unavailable` when the directory cannot be used.
package func serve(_ options: ServerOptions, onReady: @escaping @Sendable (ReadyServer) -> Void) async throws
{
  Allocator.settle()
  var life = ServerLife(options: options, signals: [.sigterm, .sigint])
  life.codeStays = .seconds(1)
  try await life.run(onReady: onReady)
}

/// One server from beginning to end.
struct ServerLife: Sendable {
  private static let maximumConnections = 4096

  var options: ServerOptions
  /// Signals that end it.
  var signals: [UnixSignal]
  var clock: any WallClock = SystemClock()
  var liveTiming = LiveTiming()
  /// Until work in flight is cut off.
  var patience = Duration.seconds(10)
  /// How long after the start code stays mapped that start-up ran (`ProgramCode`); nil: as long as the kernel likes.
  var codeStays: Duration?
  var logger = Logger(label: "martlet")
  /// Called with the engine once it is open.
  var onOpen: @Sendable (Engine) -> Void = { _ in }

  func run(onReady: @escaping @Sendable (ReadyServer) -> Void) async throws {
    let level = try options.check()
    var logger = logger
    logger.logLevel = level
    raiseFileLimit(logger)
    let dashboard = try Dashboard(directory: options.uiDirectory)
    let address = ServerAddress()
    var engineOptions = EngineOptions(
      data: options.data, pool: options.pool, allowNetworkFileSystem: options.allowNetworkFileSystem,
      url: { address.url })
    engineOptions.sampleEvery = options.sampleEvery
    let engine = try await Engine.open(engineOptions, logger: logger)
    onOpen(engine)
    do {
      try await ensureLocalToken(engine, clock: clock)
      try await listen(engine, address, dashboard, logger, onReady: onReady)
    } catch {
      await engine.shutdown()
      throw error
    }
    await engine.shutdown()
  }

  private func listen(
    _ engine: Engine, _ address: ServerAddress, _ dashboard: Dashboard, _ logger: Logger,
    onReady: @escaping @Sendable (ReadyServer) -> Void
  ) async throws {
    let end = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let start = AsyncStream.makeStream(of: Void.self)
    let secret = engine.data.path + "/address.key"
    let services = Services(
      engine: engine, options: options, address: address,
      addressSigner: try await blocking { try AddressSigner.open(path: secret) }, routes: apiRoutes,
      clock: clock, logger: logger, shutDown: { end.continuation.yield() })
    let file = ServerFile(data: engine.data.path)
    let failure = Mutex<(any Error)?>(nil)
    // Hummingbird says itself where it listens, and we do.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let application = Application(
      responder: Responder(services: services, table: RouteTable(apiRoutes), dashboard: dashboard),
      server: server(services),
      configuration: ApplicationConfiguration(
        address: .hostname(options.host, port: options.port), serverName: "martlet",
        availableConnectionsDelegate: MaximumAvailableConnections(Self.maximumConnections)),
      onServerRunning: { channel in
        do {
          let ready = try await begin(services, file, port: channel.localAddress?.port ?? options.port)
          onReady(ready)
          start.continuation.finish()
        } catch {
          failure.withLock { $0 = error }
          services.shutDown()
        }
      }, logger: quiet)
    var configuration = ServiceGroupConfiguration(
      services: [.init(service: application)], gracefulShutdownSignals: signals, logger: quiet)
    configuration.maximumGracefulShutdownDuration = patience
    let group = ServiceGroup(configuration: configuration)
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
          for await _ in end.stream { await group.triggerGracefulShutdown() }
        }
        if let codeStays {
          tasks.addTask {
            for await _ in start.stream {}
            try await Task.sleep(for: codeStays)
            try await blocking { ProgramCode.release() }
          }
        }
        try await group.run()
        tasks.cancelAll()
      }
    } catch let error as IOError {
      throw bindProblem(error)
    }
    try await file.remove()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func server(_ services: Services) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      UpgradingChannel(
        responder: responder, firstRequestTimeout: .seconds(15), idleTimeout: .seconds(75),
        acceptsUpgrade: { head, channel in
          guard head.uri.prefix(while: { $0 != "?" }) == Route.prefix + "/live" else { return false }
          do {
            try services.gatekeeper.checkNames(head, channel)
            return true
          } catch {
            // The router says what is wrong with the names: the request goes there.
            return false
          }
        },
        serve: { connection, _ in
          await LiveConnection(connection, services: services, timing: liveTiming).run()
        })
    }
  }

  /// The server listens: its address is known, and queued work may begin.
  private func begin(_ services: Services, _ file: ServerFile, port: Int) async throws -> ReadyServer {
    // Whoever listens everywhere is reached from this machine by its loopback.
    let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][options.host] ?? options.host
    let url = "http://\(authority(host, port))"
    services.address.set(url: url, address: authority(options.host, port))
    try await file.write(url: url, startedAt: services.startedAt)
    await services.engine.start()
    let (code, _) = services.codes.issue(for: services.engine.localPrincipal, now: clock.now)
    return ReadyServer(
      url: url, signInURL: "\(url)/#code=\(code.text)", data: services.engine.data.path, pid: getpid(),
      port: port,
      warnings: options.warnings)
  }

  private func bindProblem(_ error: IOError) -> Problem {
    let address = authority(options.host, options.port)
    switch error.errnoCode {
    case EADDRINUSE:
      return Problem(
        .conflict, "Port \(options.port) is in use by another program (\(address)).",
        hint: "Choose another with --port, or --port 0 for any free one.",
        details: ["port": .int(Int64(options.port))])
    case EACCES:
      return Problem(
        .badRequest, "This account may not listen on port \(options.port).",
        hint: "Ports below 1024 are for root; choose another with --port.")
    case EADDRNOTAVAIL:
      return Problem(
        .badRequest, "This machine has no address \(options.host).",
        hint: "--host takes one of its own addresses.")
    default:
      return Problem(.unavailable, "The server cannot listen on \(address): \(error.description).")
    }
  }
}

/// Host and port as they stand in an address: IPv6 in brackets.
func authority(_ host: String, _ port: Int) -> String {
  host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}
