// Where the server is and which token it gets, from options, environment and data directory.

import Foundation
import MartletModel

/// A server's address and token, as far as they are known.
///
/// Options come before the environment, and an address that is named before one that is found:
/// `--url`, `--data`, `MARTLET_URL`, `MARTLET_DATA`, `~/.martlet`; `--token`, `MARTLET_TOKEN`, the directory's file.
struct ServerPlace: Sendable {
  static let defaultPort = 7979

  var data: DataDirectory
  /// The address that was named; nil: the one that the data directory announces.
  var namedURL: String?
  var namedToken: String?
  /// What a command must be given to talk to the same server, as it was given here: ` --data DIR`, or nothing.
  let suffix: String
  /// Whether the data directory was named, so that its token may go to whatever address was named too.
  private var isDataNamed: Bool

  init(url: String?, token: String?, data: String?, environment: [String: String]) throws {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.data = DataDirectory(data ?? variable("MARTLET_DATA"), environment: environment)
    suffix =
      (url.map { " --url \(Words.command([$0]))" } ?? "")
      + (data.map { " --data \(Words.command([$0]))" } ?? "")
    isDataNamed = (data ?? variable("MARTLET_DATA")) != nil
    // A directory given as an option is meant; an address inherited from the environment gives way to it.
    namedURL = url ?? (data == nil ? variable("MARTLET_URL") : nil)
    namedToken = token ?? (data == nil ? variable("MARTLET_TOKEN") : nil)
    if let namedURL { _ = try Self.parse(namedURL) }
  }

  /// Whether a server may be started here when none is up.
  var isLocal: Bool { namedURL == nil }

  /// Whether files that are named here are there for the server too.
  var isOnThisMachine: Bool {
    guard let namedURL else { return true }
    return (try? Self.parse(namedURL)).map(Self.isLoopback) ?? false
  }

  /// A client; nil when no address was named and no server announces itself in the data directory.
  func client() throws -> Client? {
    if let namedURL {
      let url = try Self.parse(namedURL)
      return Client(base: url, token: try token(for: url), place: self)
    }
    if let announced = try data.announcement() {
      let url = try Self.parse(announced.url)
      return Client(base: url, token: try namedToken ?? data.token(), place: self)
    }
    // Without an announcement the default port may be anyone's: only a token meant for it goes there.
    if let namedToken, !isDataNamed, let url = URL(string: "http://127.0.0.1:\(Self.defaultPort)") {
      return Client(base: url, token: namedToken, place: self)
    }
    return nil
  }

  /// The error when there is no server to ask.
  var nothingUp: Failure {
    if let namedURL {
      return Failure(
        .unavailable, "No server answers at \(namedURL).",
        hint: "Check the address, or start it with martlet up.")
    }
    return Failure(
      .unavailable, "No server is up on \(data.path).",
      hint: "martlet up\(suffix) starts one; --url or MARTLET_URL names one elsewhere.")
  }

  /// The token of a directory that nobody named (`~/.martlet`) goes to this machine only.
  private func token(for url: URL) throws -> String? {
    if let namedToken { return namedToken }
    guard isDataNamed || Self.isLoopback(url) else { return nil }
    return try data.token()
  }

  static func isLoopback(_ url: URL) -> Bool {
    guard let host = url.host() else { return false }
    return host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
  }

  static func parse(_ text: String) throws -> URL {
    let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
    guard let url = URL(string: trimmed), let scheme = url.scheme, ["http", "https"].contains(scheme),
      let host = url.host(), !host.isEmpty
    else {
      throw Failure(
        .usage, "'\(text)' is no server address.",
        hint: "An address is like http://127.0.0.1:\(defaultPort); without a path, query or fragment.")
    }
    return url
  }
}
