// Signing a browser in, and who one is.

import Hummingbird
import MartletModel
import MartletStore
import OrderedCollections
import Synchronization

/// Seconds a browser's token is good for.
private let browserTokenLifetime = 90.0 * 86_400

let sessionRoutes: [Route] = [
  Route(
    .post, "/session", .open, "Exchanges a one-time sign-in code for a browser token.",
    body: RouteBody(schema: "SignIn", isRequired: true, limit: 4096), answer: RouteAnswer(schema: "Session")
  ) { request in .json(try await signIn(request)) },
  Route(
    .post, "/session/code", .server(.admin), "A new one-time sign-in code.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(schema: "SignInCode")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    let services = request.services
    let (code, expiresAt) = services.codes.issue(for: try request.access.principal, now: services.clock.now)
    return .json([
      "code": .string(code.text), "url": .string("\(request.origin)/#code=\(code.text)"),
      "expires_at": JSONValue(expiresAt),
    ])
  },
  Route(.get, "/me", .anyToken, "Who the token is, and what it may do.", answer: RouteAnswer(schema: "Me")) {
    request in
    let access = try request.access
    return .json([
      "principal": .string(access.principal.name), "token": JSONValue(access.token?.rawValue),
      "scopes": JSONValue(Scope.allCases.filter(access.scopes.contains).map(\.rawValue)),
      "project": JSONValue(access.project), "run": JSONValue(access.run?.rawValue),
    ])
  },
]

private func signIn(_ request: APIRequest) async throws -> JSONValue {
  let (services, now) = (request.services, request.services.clock.now)
  let reader = try JSONReader(request.json())
  try reader.allowOnly(["code", "name"])
  let code = Secret(text: try reader.requiredString("code"))
  let name = try tokenName(reader.string("name") ?? "browser")
  if let wait = services.signInLimit.withLock({ $0.wait(for: request.remoteAddress, now: now) }) {
    throw Problem(
      .tooManyRequests, "Too many failed attempts to sign in.",
      hint: "Try again in \(Int(wait.rounded(.up))) seconds.",
      details: ["retry_after_s": .int(Int64(wait.rounded(.up)))])
  }
  guard let principal = services.codes.redeem(code, now: now) else {
    services.signInLimit.withLock { $0.noteFailure(of: request.remoteAddress, now: now) }
    throw Problem(
      .unauthenticated, "This sign-in link was used already, is older than 10 minutes, or was never valid.",
      hint: "martlet status --link prints a fresh one.")
  }
  let token = Secret.random()
  let record = try await services.store.createToken(
    name: name, kind: .token, hash: token.hash, scopes: [.run], project: nil, run: nil,
    expiresAt: now + browserTokenLifetime, by: principal, now: now)
  return [
    "token": .string(token.text), "id": .string(record.id.rawValue),
    "scopes": JSONValue(record.scopes.map(\.rawValue)),
    "expires_at": JSONValue(record.expiresAt),
  ]
}

/// A token's name: a label of 1 to 100 characters.
func tokenName(_ name: String) throws(JSONMemberError) -> String {
  guard (1...100).contains(name.count), !name.contains(where: \.isNewline) else {
    throw JSONMemberError(key: "name", message: "must be 1 to 100 characters on one line")
  }
  return name
}
