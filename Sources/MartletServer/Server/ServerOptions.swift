// What `martlet up` may ask for, and which of it makes no sense together.

import Logging
import MartletModel
package import MartletOrchestration
import MartletScheduling

package struct ServerOptions: Sendable {
  /// Data directory.
  package var data: String
  /// Name or address to listen on; IPv6 without brackets.
  package var host: String
  /// 0: any free one.
  package var port: Int
  package var plainHTTP: Bool
  package var behindProxy: Bool
  /// Names, beside this machine's own, that Host and Origin may hold.
  package var allowedHosts: [String]
  package var openLoopback: Bool
  /// The devices that runs share out, and how.
  package var pool: PoolOptions
  package var allowNetworkFileSystem: Bool
  /// A word of swift-log: trace, debug, info, notice, warning, error, critical.
  package var logLevel: String
  /// Serves the dashboard from this folder instead of the one in the program.
  package var uiDirectory: String?
  /// Seconds from one sample of what executed runs use to the next; 0: none is taken.
  package var sampleEvery = 5.0
  /// Seconds without a word after which an agent's trial is somebody else's.
  package var agentSilence = 60.0

  /// - Parameter devices: so many are declared, of which nothing more is known.
  package init(
    data: String, host: String, port: Int, plainHTTP: Bool, behindProxy: Bool, allowedHosts: [String],
    openLoopback: Bool, devices: Int, allowNetworkFileSystem: Bool, logLevel: String, uiDirectory: String?
  ) {
    self.data = data
    self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    self.port = port
    self.plainHTTP = plainHTTP
    self.behindProxy = behindProxy
    self.allowedHosts = allowedHosts
    self.openLoopback = openLoopback
    pool = PoolOptions(devices: .count(devices))
    self.allowNetworkFileSystem = allowNetworkFileSystem
    self.logLevel = logLevel
    self.uiDirectory = uiDirectory
  }

  /// The level of `logLevel`, once all options were found to make sense.
  func check() throws(Problem) -> Logger.Level {
    guard (0...65_535).contains(port) else {
      throw Problem(
        .badRequest, "There is no port \(port).", hint: "Ports are 1 to 65535; 0 takes any free one.")
    }
    guard sampleEvery == 0 || (0.1...3_600).contains(sampleEvery) else {
      throw Problem(
        .badRequest, "Nothing can be sampled every \(sampleEvery) seconds.",
        hint: "Choose 0.1 to 3600 seconds, or 0 for never.")
    }
    guard (1...86_400).contains(agentSilence) else {
      throw Problem(
        .badRequest, "Agents cannot be waited for \(agentSilence) seconds.",
        hint: "Choose 1 to 86400 seconds.")
    }
    guard (1...1_000).contains(pool.slots) else {
      throw Problem(.badRequest, "A device cannot have \(pool.slots) slots.", hint: "Choose 1 to 1000.")
    }
    if !isLoopback(host), !plainHTTP, !behindProxy {
      throw Problem(
        .badRequest,
        "The address \(host) can be reached by others, and tokens that start programs would cross the network unencrypted.",
        hint:
          "Put a proxy with TLS in front and add --behind-proxy, or accept it in plain words with --plain-http. From another machine, ssh -L needs neither."
      )
    }
    if openLoopback, !isLoopback(host) {
      throw Problem(
        .badRequest, "--open-loopback is for this machine alone, and \(host) is not its loopback.",
        hint: "Leave out --open-loopback or --host.")
    }
    if openLoopback, behindProxy {
      throw Problem(
        .badRequest,
        "--open-loopback and --behind-proxy do not go together: all that the proxy passes on would need no token.",
        hint: "Leave out one of the two.")
    }
    guard let level = Logger.Level(rawValue: logLevel) else {
      let known = Logger.Level.allCases.map(\.rawValue)
      throw Problem(
        .badRequest, "There is no log level '\(logLevel)'.",
        hint: nearest(to: logLevel, in: known).map { "Did you mean '\($0)'?" }
          ?? "Known are \(known.joined(separator: ", ")).")
    }
    return level
  }

  /// What whoever starts the server should know.
  var warnings: [String] {
    var warnings: [String] = []
    if openLoopback {
      warnings.append("Everybody on this machine may do everything without a token (--open-loopback).")
    }
    if !isLoopback(host), plainHTTP {
      warnings.append("Tokens cross the network unencrypted (--plain-http).")
    }
    if ["0.0.0.0", "::"].contains(host), allowedHosts.isEmpty {
      warnings.append("Other machines reach this server by its address only; --allowed-host adds names.")
    }
    return warnings
  }
}

/// A server that listens.
package struct ReadyServer: Sendable {
  /// Like `http://127.0.0.1:7979`.
  package var url: String
  /// Signs one browser in, once, within 10 minutes.
  package var signInURL: String
  /// Absolute path of the data directory.
  package var data: String
  package var pid: Int32
  package var port: Int
  package var warnings: [String]
}
