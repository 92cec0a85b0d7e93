// Every request goes through here: names, route, token, body, handler; every answer gets its headers here.

import HTTPTypes
import Hummingbird
import Logging
import MartletModel
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import OrderedCollections
import Synchronization

struct Responder: HTTPResponder {
  let services: Services
  let table: RouteTable
  let dashboard: Dashboard

  func respond(to request: Request, context: APIContext) async throws -> Response {
    var response: Response
    do {
      response = try await answer(request, context)
    } catch let error as HTTPParserError {
      // The connection speaks no HTTP any more: Hummingbird closes it.
      throw error
    } catch {
      response = .problem(services.problem(for: error, doing: "\(request.method) \(shown(request))"))
    }
    if request.method == .head { response = response.createHeadResponse() }
    response.addSecurityHeaders()
    services.logger.debug(
      "\(request.method) \(shown(request)) \(response.status.code)",
      metadata: ["from": "\(context.channel.remoteName)"])
    return response
  }

  /// The path as the log has it: where nobody is asked for a token, what stands in it is what opens the door.
  private func shown(_ request: Request) -> String {
    let path = request.uri.path
    guard let route = table.match(Substring(path))?.route(for: request.method), route.access == .open else {
      return path
    }
    return route.path
  }

  private func answer(_ request: Request, _ context: APIContext) async throws -> Response {
    try services.gatekeeper.checkNames(request.head, context.channel)
    let target = (request.head.path ?? "/").split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = target[0]
    guard let match = table.match(path) else {
      if path == "/api" || path.hasPrefix("/api/") {
        throw Problem(
          .notFound, "There is no '\(path.prefix(200))'.",
          hint: "\(Route.prefix)/openapi.json lists all there is.")
      }
      return try await dashboard.answer(request, path: path, context: context)
    }
    guard let route = match.route(for: request.method) else {
      if request.method == .options {
        return Response(status: .noContent, headers: [.allow: match.allowed.joined(separator: ", ")])
      }
      throw Problem(
        .methodNotAllowed, "'\(path.prefix(200))' does not answer \(request.method.rawValue.prefix(20)).",
        hint: "It answers \(match.allowed.joined(separator: ", ")).",
        details: ["allow": JSONValue(match.allowed)])
    }
    let caller = try await caller(for: route, request, context)
    let query = try Query(target.count > 1 ? target[1] : nil, known: route.query.map(\.name))
    let form = try bodyForm(request, of: route)
    let stream = route.body.flatMap { expected in
      form == .bytes
        ? BodyStream(
          body: request.body, limit: expected.limit, isExpected: request.isContinueExpected,
          channel: context.channel) : nil
    }
    let body = stream == nil ? try await readBody(request, for: route, form, context.channel) : []
    let call = APIRequest(
      services: services, caller: caller, parameters: match.parameters, query: query,
      headers: request.headers, form: form, body: body, stream: stream,
      remoteAddress: services.gatekeeper.remoteAddress(request.head, context.channel),
      origin: services.gatekeeper.origin(request.head), context: context)
    // What changes something is seen through to its end; an answer alone nobody needs who has left.
    guard route.isReading, let presence = ClientPresence.current else { return try await route.handle(call) }
    do {
      return try await presence.whileThere { try await route.handle(call) }
    } catch is CancellationError where presence.hasLeft {
      throw Problem(
        .badRequest, "The connection was closed on the client's side before the answer was there.",
        hint: "Keep it open until the answer has come.")
    }
  }

  private func caller(for route: Route, _ request: Request, _ context: APIContext) async throws -> Access? {
    guard route.access != .open else { return nil }
    let access = try await services.gatekeeper.access(
      authorization: request.headers[.authorization],
      isForwarded: isForwarded { name in HTTPField.Name(name).map(request.headers.contains) ?? false },
      context.channel)
    try services.gatekeeper.check(access, for: route.access)
    return access
  }

  /// The form that a body says it has; nil when it says nothing, as an empty one may.
  ///
  /// A body must say what it is: what a form of another page could send is refused.
  private func bodyForm(_ request: Request, of route: Route) throws(Problem) -> RouteBody.Form? {
    guard let expected = route.body else { return nil }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > expected.limit {
      throw .tooLarge(expected.limit)
    }
    guard let type = request.headers[.contentType]?.prefix(while: { $0 != ";" }).trimmingSpaces.lowercased()
    else {
      if expected.forms == [.bytes] { throw Self.wrongType(expected.forms, nil) }
      return nil
    }
    guard let form = expected.forms.first(where: { $0.rawValue == type }) else {
      throw Self.wrongType(expected.forms, type)
    }
    return form
  }

  private func readBody(
    _ request: Request, for route: Route, _ form: RouteBody.Form?, _ channel: any Channel
  ) async throws -> [UInt8] {
    guard let expected = route.body else { return [] }
    // Only now: what is refused by its head alone should not be sent at all.
    if request.isContinueExpected {
      try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
    }
    var bytes: [UInt8] = []
    // Room for all of it at once: each byte is copied once.
    bytes.reserveCapacity(request.headers[.contentLength].flatMap { Int($0) } ?? 0)
    for try await part in request.body {
      guard form != nil || part.readableBytes == 0 else { throw Self.wrongType(expected.forms, nil) }
      guard bytes.count + part.readableBytes <= expected.limit else { throw Problem.tooLarge(expected.limit) }
      part.withUnsafeReadableBytes { bytes.append(contentsOf: $0) }
    }
    if expected.isRequired, bytes.isEmpty { throw Problem(.badRequest, "The request must have a body.") }
    return bytes
  }

  private static func wrongType(_ forms: [RouteBody.Form], _ type: String?) -> Problem {
    let words = forms.map(\.rawValue).joined(separator: " or ")
    return Problem(
      .badRequest, "The body must be \(words)\(type.map { ", not '\($0.prefix(100))'" } ?? "").",
      hint: "Send the header 'Content-Type: \(forms.first?.rawValue ?? "")'.")
  }
}

extension Request {
  /// The client sends its body once it is asked for it (RFC 9110 §10.1.1).
  var isContinueExpected: Bool { headers[.expect]?.lowercased() == "100-continue" }
}
