// Who may come in: by name of the server, by origin, by token. The same for requests and for WebSockets.

import HTTPTypes
import Hummingbird
import MartletModel
import NIOCore
import NIOHTTP1

struct Gatekeeper: Sendable {
  let hosts: HostCheck
  let authenticator: Authenticator
  /// What requests from this machine without a token may do; nil unless the server was started with --open-loopback.
  let loopbackAccess: Access?
  let isBehindProxy: Bool

  /// - Throws: `Problem` when Host or Origin are not this server's own.
  func checkNames(_ request: HTTPRequest, _ channel: any Channel) throws(Problem) {
    try hosts.check(
      hosts: [request.authority].compactMap(\.self) + request.headerFields[values: .host],
      origins: request.headerFields[values: .origin], localAddress: channel.localName)
  }

  /// The same for the head of an upgrade.
  func checkNames(_ head: HTTPRequestHead, _ channel: any Channel) throws(Problem) {
    try hosts.check(
      hosts: head.headers["host"], origins: head.headers["origin"], localAddress: channel.localName)
  }

  /// - Parameter isForwarded: whether a proxy passed the request on.
  /// - Throws: `Problem.unauthenticated`
  func access(authorization: String?, isForwarded: Bool, _ channel: any Channel) async throws -> Access {
    guard let authorization else {
      if let access = unaskedAccess(isForwarded: isForwarded, channel) { return access }
      throw Problem(.unauthenticated, "This needs a token.", hint: tokenHint)
    }
    guard let token = bearerToken(authorization) else {
      throw Problem(
        .unauthenticated, "The Authorization header must be 'Bearer' and a token.", hint: tokenHint)
    }
    return try await access(of: token)
  }

  func access(of token: Secret) async throws -> Access {
    guard let access = try await authenticator.access(of: token) else {
      throw Problem(.unauthenticated, "The token is unknown, has expired or was revoked.", hint: tokenHint)
    }
    return access
  }

  /// What somebody without a token may do: nothing, but on a server that is open to its own machine. What a proxy
  /// passes on does not come from this machine, whatever its address says.
  func unaskedAccess(isForwarded: Bool, _ channel: any Channel) -> Access? {
    isForwarded || !channel.isFromLoopback ? nil : loopbackAccess
  }

  /// - Throws: `Problem.forbidden` when `access` is too little for the route.
  func check(_ access: Access, for route: RouteAccess) throws(Problem) {
    let scope: Scope
    switch route {
    case .open, .anyToken: return
    case .scope(let needed): scope = needed
    case .server(let needed):
      scope = needed
      if let bound = access.run.map({ "run '\($0)'" }) ?? access.project.map({ "project '\($0)'" }) {
        throw Problem(
          .forbidden, "This token is bound to \(bound) and reaches nothing else.",
          hint: "martlet token new makes one that is bound to nothing.")
      }
    }
    guard access.scopes.contains(scope) else {
      let held = Scope.allCases.filter(access.scopes.contains).map(\.rawValue).joined(separator: ", ")
      throw Problem(
        .forbidden, "This needs a token with the scope '\(scope.rawValue)'; this one has \(held).",
        hint: "martlet token new --scope \(scope.rawValue) makes one.")
    }
  }

  /// The client's own address: behind a proxy the one that the proxy saw, which stands last.
  func remoteAddress(_ request: HTTPRequest, _ channel: any Channel) -> String {
    guard isBehindProxy, let seen = request.headerFields[.forwardedFor]?.split(separator: ",").last else {
      return channel.remoteName
    }
    return seen.trimmingSpaces
  }

  /// Under which address the client reached this server.
  func origin(_ request: HTTPRequest) -> String {
    let isTLS = isBehindProxy && request.headerFields[.forwardedProto]?.lowercased() == "https"
    return "\(isTLS ? "https" : "http")://\(request.authority ?? "")"
  }
}

private let tokenHint =
  "Sign in with the link that martlet status --link prints, or pass a token of martlet token new."

/// Whether a proxy passed a request with these headers on.
func isForwarded(_ has: (String) -> Bool) -> Bool {
  ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"].contains(
    where: has)
}

extension StringProtocol {
  var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
