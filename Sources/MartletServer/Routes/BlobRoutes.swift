// Files of runs: put, read, and opened to a browser by a signed address.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletOrchestration
import MartletTracking
import NIOCore
import OrderedCollections

let blobRoutes: [Route] = [
  Route(
    .put, "/runs/:run/blobs/:sha256", .scope(.ingest), "Gives a run a file, under the SHA-256 of its bytes.",
    query: [
      QueryParameter(
        name: "named", summary: "It is for named files of the run alone, and goes with the last of them.",
        schema: ["type": "boolean", "default": false])
    ],
    body: RouteBody(
      forms: [.bytes], schema: "Blob", isRequired: false, limit: Int(BlobStore.largest)),
    answer: RouteAnswer(status: 201, schema: "Blob")
  ) { request in try await put(request) },
  Route(
    .get, "/runs/:run/blobs/:sha256", .scope(.read), "A file of a run; `Range` gives a part of it.",
    answer: RouteAnswer(type: "application/octet-stream")
  ) { request in
    let blob = try await request.services.tracking.openBlob(
      request.contentHash(), of: request.id("run"), access: request.access)
    return try await answer(request, blob, name: nil, type: nil)
  },
  Route(
    .post, "/runs/:run/blobs/:sha256/address", .scope(.read),
    "An address that opens the file without a token, for some minutes.",
    body: RouteBody(schema: "NewAddress", isRequired: false),
    answer: RouteAnswer(status: 201, schema: "Address")
  ) { request in .json(try await sign(request), status: 201) },
  Route(
    .get, "/blobs/:address", .open, "The file that a signed address names.",
    answer: RouteAnswer(type: "application/octet-stream")
  ) { request in
    let services = request.services
    let address = try services.addressSigner.check(
      request.parameters["address"] ?? "", now: services.clock.now)
    let access = Access(
      principal: services.engine.localPrincipal, token: nil, scopes: [.read], run: address.run)
    let blob = try await services.tracking.openBlob(
      address.hash, of: address.run, inTrash: false, access: access)
    return try await answer(request, blob, name: address.name, type: address.type)
  },
]

extension APIRequest {
  /// The path's parameter `sha256`.
  ///
  /// - Throws: `notFound`: what can be no hash names nothing.
  fileprivate func contentHash() throws(Problem) -> ContentHash {
    let text = parameters["sha256"] ?? ""
    guard let hash = ContentHash(text) else {
      throw Problem(
        .notFound, "There is no file '\(text.prefix(100))'.",
        hint: "A file's name is the SHA-256 of its bytes: 64 hexadecimal digits in lower case.")
    }
    return hash
  }
}

// MARK: - In

private func put(_ request: APIRequest) async throws -> Response {
  let (tracking, access) = (request.services.tracking, try request.access)
  let (run, hash) = (try request.id("run"), try request.contentHash())
  let isNamed = try request.query.bool("named") ?? false
  func answer(_ size: Int64, status: Int) -> Response {
    .json(["sha256": .string(hash.description), "size": .int(size)], status: status)
  }
  // Nobody learns here what other runs have: for a file that this run does not have, the bytes must come.
  if let size = try await tracking.blobSize(hash, of: run, isNamed: isNamed, access: access) {
    return answer(size, status: 200)
  }
  guard let stream = request.stream else { throw Problem(.badRequest, "The request must have a body.") }
  let blobs = tracking.blobs
  let upload = try await blocking { try blobs.begin() }
  do {
    try await stream.read { pieces in
      try await blocking {
        for piece in pieces { try piece.withUnsafeReadableBytes { try upload.write($0) } }
      }
    }
    return answer(
      try await tracking.keepBlob(upload, as: hash, of: run, isNamed: isNamed, access: access), status: 201)
  } catch {
    try await blocking { upload.discard() }
    throw error
  }
}

// MARK: - Addresses

private func sign(_ request: APIRequest) async throws -> JSONValue {
  let (services, run, hash) = (request.services, try request.id("run"), try request.contentHash())
  let reader = try JSONReader(request.json())
  try reader.allowOnly(["name", "type", "expires_in_s"])
  let (name, type) = (try reader.string("name"), try reader.string("type"))
  if let name,
    name.isEmpty || name.utf8.count > SignedAddress.longestName || name.contains(where: \.isNewline)
  {
    throw JSONMemberError(key: "name", message: "must be 1 to \(SignedAddress.longestName) bytes on one line")
  }
  if let type, !isMediaType(type) {
    throw JSONMemberError(
      key: "type", message: "must be a media type such as text/csv, not '\(type.prefix(100))'")
  }
  let lifetime = try reader.double("expires_in_s") ?? SignedAddress.usualLifetime
  guard SignedAddress.lifetimes.contains(lifetime) else {
    throw JSONMemberError(key: "expires_in_s", message: "must be 1 to 86,400 seconds")
  }
  // What is not there needs no address.
  _ = try await services.tracking.openBlob(hash, of: run, access: request.access)
  let address = SignedAddress(
    hash: hash, run: run, expiresAt: services.clock.now + lifetime, name: name, type: type)
  let text = services.addressSigner.sign(address)
  return [
    "url": .string("\(request.origin)\(Route.prefix)/blobs/\(text)"),
    "expires_at": JSONValue(address.expiresAt),
  ]
}

/// `type/subtype` of RFC 9110's token characters, without parameters.
func isMediaType(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  return parts.count == 2 && text.utf8.count <= 100
    && parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || Array("!#$&^_.+-".utf8).contains(byte)
        }
    }
}

// MARK: - Out

/// Bytes that are read and sent at a time.
private let pieceSize = 256 << 10

/// What a logged page may do: be drawn inside of the dashboard. `sandbox` without a word behind it forbids scripts, forms
/// and the dashboard's origin.
private let pagePolicy =
  "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; frame-ancestors 'self'"

/// A file, or the part of it that the request asks for.
///
/// Pictures, sounds and films, known by their first bytes, are shown in a browser, and pages whose address was signed as that of
/// a page, which then cannot run scripts. All else is handed out to be saved, whatever it says it is: a drawing with a
/// script in it must not run as if it were ours.
private func answer(_ request: APIRequest, _ blob: OpenBlob, name: String?, type: String?) async throws
  -> Response
{
  let tag = "\"\(blob.hash)\""
  var headers: HTTPFields = [
    .acceptRanges: "bytes", .eTag: tag, .cacheControl: "private, no-cache",
    .contentSecurityPolicy:
      "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  ]
  if let known = request.headers[.ifNoneMatch], known == "*" || known.contains(tag) {
    return Response(status: .notModified, headers: headers)
  }
  let head = try await blocking { try blob.read(from: 0, count: MediaType.prefix) }
  let shown = MediaType.sniff(head)
  // A page is shown to whoever signed its address as one: without scripts, in an origin of its own.
  let isPage = shown == nil && type == "text/html"
  if isPage { headers[.contentSecurityPolicy] = pagePolicy }
  headers[.contentType] = shown ?? (isPage ? "text/html; charset=utf-8" : type) ?? "application/octet-stream"
  headers[.contentDisposition] = disposition(
    shown == nil && !isPage ? "attachment" : "inline", name: name ?? String(blob.hash.description.prefix(16)))
  // RFC 9110 §13.1.5: of a file that is another one now, the whole is asked for. This one never changes.
  let isSame = request.headers[.ifRange].map { $0 == tag } ?? true
  switch ByteRange(isSame ? request.headers[.range] : nil, size: blob.size) {
  case .whole:
    return Response(status: .ok, headers: headers, body: body(of: blob, 0..<blob.size))
  case .part(let range):
    headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.size)"
    return Response(status: .partialContent, headers: headers, body: body(of: blob, range))
  case .unsatisfiable:
    throw Problem(
      .rangeNotSatisfiable,
      "The file has \(blob.size) bytes; the part that was asked for lies behind its end.",
      hint: "Ask for bytes below \(blob.size), or without 'Range'.", details: ["size": .int(blob.size)])
  }
}

/// Never reads ahead of the client.
private func body(of blob: OpenBlob, _ range: Range<Int64>) -> ResponseBody {
  ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { writer in
    var at = range.lowerBound
    while at < range.upperBound {
      let (from, count) = (at, Int(min(Int64(pieceSize), range.upperBound - at)))
      let bytes = try await blocking { try blob.read(from: from, count: count) }
      // The connection is cut: a file that is shorter now must not look whole.
      guard bytes.count == count else { throw Problem(.internal, "The file \(blob.hash) was cut off.") }
      try await writer.write(ByteBuffer(bytes: bytes))
      at += Int64(count)
    }
    try await writer.finish(nil)
  }
}
