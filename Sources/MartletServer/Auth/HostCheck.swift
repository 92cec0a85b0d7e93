// Which names the server answers to: the defence against DNS rebinding, and against pages of other origins.

import MartletModel

/// Checks the Host and Origin headers of every request and upgrade.
///
/// A page on the web can point its own name at 127.0.0.1 and so speak to this server as if it were its own; only the
/// Host header tells. Ports do not matter, since `ssh -L` and containers change them.
struct HostCheck: Sendable {
  /// Lower case, IPv6 without brackets.
  private let names: Set<String>
  /// Names that `--allowed-host` gave: a proxy's public name may stand in Origin while Host is the inner one.
  private let allowed: Set<String>
  /// The server listens on all addresses: a Host that is the very address a connection reached is then its own.
  private let listensEverywhere: Bool

  init(boundTo host: String, allowedHosts: [String]) {
    allowed = Set(allowedHosts.map { Self.name(of: $0.lowercased()) ?? $0.lowercased() })
    listensEverywhere = ["0.0.0.0", "::"].contains(host)
    names = allowed.union(["localhost", "127.0.0.1", "::1"]).union(
      listensEverywhere ? [] : [host.lowercased()])
  }

  /// - Parameters:
  ///   - hosts: all Host headers of the request.
  ///   - localAddress: the address of this machine that the connection reached.
  /// - Throws: `Problem`: `badRequest` for a missing or repeated Host, `forbidden` for a foreign one.
  func check(hosts: [String], origins: [String], localAddress: String?) throws(Problem) {
    guard hosts.count == 1, let host = hosts.first?.lowercased(), let name = Self.name(of: host) else {
      throw Problem(.badRequest, "The request must have one Host header that names this server.")
    }
    guard names.contains(name) || (listensEverywhere && name == localAddress) else {
      throw Problem(
        .forbidden, "This server does not answer to the name '\(name.prefix(100))'.",
        hint: "Open it by localhost or its address, or start it with --allowed-host \(name.prefix(100)).")
    }
    guard origins.count <= 1 else {
      throw Problem(.badRequest, "The request has more than one Origin header.")
    }
    guard let origin = origins.first else { return }
    if isOwn(origin: origin.lowercased(), host: host) { return }
    throw Problem(
      .forbidden, "A page from '\(origin.prefix(100))' may not speak to this server.",
      hint: "Open the dashboard at this server's own address.")
  }

  /// Whether a page of `origin` was served under the same scheme-less address as the request goes to.
  private func isOwn(origin: String, host: String) -> Bool {
    guard let (authority, port) = Self.authority(ofOrigin: origin), let name = Self.name(of: authority) else {
      return false
    }
    if allowed.contains(name) { return true }
    return name == Self.name(of: host) && (Self.port(of: authority) ?? port) == (Self.port(of: host) ?? port)
  }

  /// What stands behind the scheme, and the scheme's own port.
  private static func authority(ofOrigin origin: String) -> (authority: String, port: Int)? {
    for (scheme, port) in [("http://", 80), ("https://", 443)] where origin.hasPrefix(scheme) {
      return (String(origin.dropFirst(scheme.count)), port)
    }
    return nil
  }

  /// `localhost:80` → `localhost`, `[::1]:80` → `::1`; nil for what is no host with or without a port.
  static func name(of authority: String) -> String? {
    var rest = authority[...]
    let name: Substring
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      name = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
    } else {
      name = rest.prefix { $0 != ":" }
      rest = rest.dropFirst(name.count)
    }
    guard !name.isEmpty, !name.contains(where: { $0.isWhitespace || "/@?#".contains($0) }) else { return nil }
    if rest.isEmpty { return String(name) }
    guard rest.first == ":", rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return String(name)
  }

  private static func port(of authority: String) -> Int? {
    let tail = authority.split(separator: "]", omittingEmptySubsequences: false).last ?? ""
    guard let colon = tail.lastIndex(of: ":") else { return nil }
    return Int(tail[tail.index(after: colon)...])
  }
}
