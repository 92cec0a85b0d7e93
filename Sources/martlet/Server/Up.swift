// `martlet up`: the server, in the foreground or detached.

import ArgumentParser
import Foundation
import MartletModel
import MartletServer

struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start the server and the dashboard.",
    discussion: """
      Ctrl-C or SIGTERM ends it; runs go on and are found again when it is started
      the next time.

      Examples:
        martlet up
        martlet up --detach --data ~/experiments --port 0
        martlet up --devices 4x24GB/2 --cpu-slots 8 --memory-limit 48GB
        martlet up --host 0.0.0.0 --behind-proxy --allowed-host martlet.example.org
      """)

  @Option(name: .long, help: "The data directory. (default: MARTLET_DATA, or ~/.martlet)")
  var data: String?

  @Option(
    name: .long, help: "The address to listen on; any but loopback needs --behind-proxy or --plain-http.")
  var host = "127.0.0.1"

  @Option(name: .long, help: "The port to listen on; 0: any free one.")
  var port = ServerPlace.defaultPort

  @Flag(name: .long, help: "Serve other machines without encryption: tokens can be read on the way.")
  var plainHTTP = false

  @Flag(name: .long, help: "A reverse proxy in front does the encryption.")
  var behindProxy = false

  @Option(
    name: .long, help: ArgumentHelp("A host name that requests may carry; repeatable.", valueName: "name"))
  var allowedHost: [String] = []

  @Flag(name: .long, help: "Ask no token on loopback: for a machine of one person.")
  var openLoopback = false

  @OptionGroup(title: "Devices and the line for them") var pool: PoolFlags

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Sample what runs use, GPUs included, every so many seconds; 0: never.", valueName: "s"))
  var sampleEvery = 5.0

  @Option(
    name: .long,
    help: ArgumentHelp("How long an agent may say nothing before its trial is another's.", valueName: "s"))
  var agentSilence = 60.0

  @Flag(name: .long, help: "Keep data on a network file system although its locks cannot be trusted.")
  var allowNetworkFileSystem = false

  @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel = "notice"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Serve the dashboard from this directory (ui/dist after make ui) instead of the one built in: for work on it.",
      valueName: "dir"))
  var ui: String?

  @Flag(name: .long, help: "Start it in the background; its log is server.log in the data directory.")
  var detach = false

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be 0 to 65535, not \(port).")
    }
    _ = try pool.options()
    guard sampleEvery == 0 || (0.1...3_600).contains(sampleEvery) else {
      throw ValidationError("--sample-every must be 0.1 to 3600 seconds, or 0 for never, not \(sampleEvery).")
    }
    guard (1...86_400).contains(agentSilence) else {
      throw ValidationError("--agent-silence must be 1 to 86400 seconds, not \(agentSilence).")
    }
    guard Self.logLevels.contains(logLevel) else {
      let hint = nearest(to: logLevel, in: Self.logLevels).map { "; did you mean '\($0)'?" } ?? ""
      throw ValidationError("--log-level '\(logLevel)' is not known\(hint)")
    }
  }

  private static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

  func run() async throws {
    let place = try ServerPlace(url: nil, token: nil, data: data, environment: CallerEnvironment.current)
    if detach { return try await runDetached(on: place.data) }
    var options = ServerOptions(
      data: place.data.path, host: host, port: port, plainHTTP: plainHTTP, behindProxy: behindProxy,
      allowedHosts: allowedHost, openLoopback: openLoopback, devices: 0,
      allowNetworkFileSystem: allowNetworkFileSystem, logLevel: logLevel, uiDirectory: ui)
    options.sampleEvery = sampleEvery
    options.agentSilence = agentSilence
    options.pool = try pool.options()
    do {
      try await serve(options) { ready in
        // Nobody has to read this: a closed standard output must not end a server.
        try? Terminal.write(Self.greeting(ready), to: STDOUT_FILENO)
        for warning in ready.warnings { Terminal.complain("martlet: warning: \(warning)") }
      }
    } catch let problem as Problem {
      throw Failure(problem, status: Self.status(of: problem.code))
    }
  }

  /// Refusals to start are about this machine, not about a request.
  private static func status(of code: Problem.Code) -> ExitStatus? {
    switch code {
    case .conflict: .inUse
    case .badRequest: .usage
    case .unavailable: .cannotCreate
    case .unauthenticated, .forbidden, .notFound, .methodNotAllowed, .tooLarge, .unprocessable,
      .rangeNotSatisfiable, .upgradeRequired,
      .tooManyRequests, .internal:
      nil
    }
  }

  private static func greeting(_ ready: ReadyServer) -> String {
    """
    Martlet is up at \(ready.url) (data in \(ready.data), pid \(ready.pid))
    Sign in once: \(ready.signInURL)

    """
  }

  private func runDetached(on data: DataDirectory) async throws {
    let suffix = self.data == nil ? "" : " --data \(Words.command([data.path]))"
    if let announced = try data.announcement() {
      throw Failure(
        .inUse, "A server is already up on \(data.path): \(announced.url), pid \(announced.pid).",
        hint: "martlet status --link\(suffix) prints a sign-in link for it; martlet down\(suffix) stops it.")
    }
    try await DetachedServer(data: data, options: serverOptions).start()
    let place = try ServerPlace(url: nil, token: nil, data: data.path, environment: [:])
    guard let client = try place.client() else { throw place.nothingUp }
    try Terminal.say("Martlet is up at \(client.base.absoluteString) (data in \(data.path))")
    try Terminal.say("Sign in once: \(try await client.signInLink())")
    try Terminal.say("martlet down\(suffix) stops it.")
  }

  private var serverOptions: [String] {
    var options = [
      "--host", host, "--port", String(port), "--log-level", logLevel,
    ]
    options += pool.arguments
    options += ["--sample-every", String(sampleEvery), "--agent-silence", String(agentSilence)]
    if plainHTTP { options.append("--plain-http") }
    if behindProxy { options.append("--behind-proxy") }
    if openLoopback { options.append("--open-loopback") }
    if allowNetworkFileSystem { options.append("--allow-network-file-system") }
    options += allowedHost.flatMap { ["--allowed-host", $0] }
    if let ui { options += ["--ui", URL(fileURLWithPath: ui).path] }
    return options
  }
}

extension Client {
  /// An address that signs a browser in once, at `path` of the dashboard.
  func signInLink(path: String = "/") async throws -> String {
    let answer = try await send(.post, "/session/code")
    guard let code = answer["code"]?.string else {
      throw Failure(.internalError, "The server made no sign-in code.")
    }
    return "\(base.absoluteString)\(path)#code=\(code)"
  }

  /// `signInLink`, or the plain address when this token may not make one.
  func dashboardLink(path: String) async throws -> String {
    do {
      return try await signInLink(path: path)
    } catch let failure as Failure where failure.status == .notPermitted {
      return base.absoluteString + path
    }
  }
}
