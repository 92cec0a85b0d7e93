// Named tokens: made, listed, revoked.

import Hummingbird
import MartletModel
import MartletStore
import OrderedCollections

let tokenRoutes: [Route] = [
  Route(
    .get, "/tokens", .server(.admin), "All tokens but those of attempts; never their secrets.",
    query: pageParameters, answer: RouteAnswer(schema: "TokenList")
  ) { request in
    .json(list(try await request.services.store.tokens(request.query.page()), \.json))
  },
  Route(
    .post, "/tokens", .server(.admin), "A new token; its secret is shown in this answer and never again.",
    body: RouteBody(schema: "NewToken", isRequired: true),
    answer: RouteAnswer(status: 201, schema: "CreatedToken")
  ) { request in .json(try await createToken(request), status: 201) },
  Route(
    .delete, "/tokens/:token", .server(.admin), "Revokes a token: from now on it opens nothing.",
    answer: RouteAnswer(schema: "Token")
  ) { request in
    let services = request.services
    let id = try request.id("token")
    guard
      let record = try await services.store.revokeToken(
        id, by: try request.access.principal, now: services.clock.now)
    else { throw Problem(.notFound, "There is no token '\(id)'.", hint: "martlet token list shows them.") }
    services.authenticator.forget(id)
    services.liveConnections.close(token: id)
    return .json(record.json)
  },
]

private func createToken(_ request: APIRequest) async throws -> JSONValue {
  let (services, now) = (request.services, request.services.clock.now)
  let reader = try JSONReader(request.json())
  try reader.allowOnly(["name", "scopes", "project", "expires_in_s"])
  let name = try tokenName(reader.requiredString("name"))
  var scopes: [Scope] = []
  for text in try reader.required("scopes", reader.strings("scopes")) {
    guard let scope = Scope(rawValue: text) else {
      let known = Scope.allCases.map(\.rawValue)
      throw JSONMemberError(
        key: "scopes", message: "has no '\(text)'; known are \(known.joined(separator: ", "))")
    }
    if !scopes.contains(scope) { scopes.append(scope) }
  }
  guard !scopes.isEmpty else { throw JSONMemberError(key: "scopes", message: "must name at least one scope") }
  let project = try reader.string("project")
  guard project == nil || !scopes.contains(.admin) else {
    throw JSONMemberError(
      key: "scopes", message: "cannot hold admin for one project: admin concerns the whole server")
  }
  let lifetime = try reader.double("expires_in_s")
  // A hundred years: beyond that a time in microseconds would leave its range.
  if let lifetime, !(lifetime > 0 && lifetime <= 3.2e9) {
    throw JSONMemberError(key: "expires_in_s", message: "must be above 0 and at most 3.2e9 seconds")
  }
  let secret = Secret.random()
  let record = try await services.store.createToken(
    name: name, kind: .token, hash: secret.hash, scopes: scopes, project: project, run: nil,
    expiresAt: lifetime.map { now + $0 }, by: try request.access.principal, now: now)
  guard case .object(var members) = record.json else { return record.json }
  members["token"] = .string(secret.text)
  return .object(members)
}
