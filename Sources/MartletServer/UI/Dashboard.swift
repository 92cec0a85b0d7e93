// The dashboard's files: from the program itself, or from a folder while it is being worked on.

import HTTPTypes
import Hummingbird
import MartletModel
import OrderedCollections

struct Dashboard: Sendable {
  private enum Source: Sendable {
    case embedded(AssetPack)
    case directory(String)
  }

  private let source: Source

  /// - Parameter directory: serves from this folder instead of the embedded pack.
  init(directory: String?) throws {
    source = if let directory { .directory(directory) } else { .embedded(try AssetPack.embedded()) }
  }

  /// The file at `path`, or the page itself: its addresses are its own affair.
  func answer(_ request: Request, path: Substring, context: APIContext) async throws -> Response {
    guard request.method == .get || request.method == .head else {
      if request.method == .options {
        return Response(status: .noContent, headers: [.allow: "GET, HEAD, OPTIONS"])
      }
      throw Problem(
        .methodNotAllowed, "Only the API under \(Route.prefix) takes \(request.method.rawValue.prefix(20)).",
        details: ["allow": ["GET", "HEAD", "OPTIONS"]])
    }
    switch source {
    case .embedded(let pack): return try embedded(request, path, pack)
    case .directory(let directory): return try await fromDisk(path, directory, context)
    }
  }

  private func embedded(_ request: Request, _ path: Substring, _ pack: AssetPack) throws -> Response {
    let isPage = pack[path] == nil || path == "/index.html"
    guard let asset = pack[path] ?? pack["/index.html"] else { throw AssetPack.Damaged() }
    // Weak: one tag stands for the stored and the unpacked form.
    let etag = "W/\"\(asset.etag)\""
    var headers: HTTPFields = [
      .contentType: asset.type, .eTag: etag, .vary: "Accept-Encoding",
      .cacheControl: isPage || !Self.isHashed(path) ? "no-cache" : "public, max-age=31536000, immutable",
    ]
    if Self.matches(request.headers[values: .ifNoneMatch], etag) {
      headers[.contentType] = nil
      var response = Response(status: .notModified, headers: headers)
      response.headers[.contentLength] = nil
      return response
    }
    let takesGzip = Self.takesGzip(request.headers[values: .acceptEncoding])
    if asset.isGzip, takesGzip { headers[.contentEncoding] = "gzip" }
    let bytes = asset.isGzip && takesGzip ? asset.bytes : try asset.plain
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Only names without folders are looked up, so no address leaves the directory.
  private func fromDisk(_ path: Substring, _ directory: String, _ context: APIContext) async throws
    -> Response
  {
    let name = path.dropFirst()
    let isPlain =
      !name.isEmpty && !name.hasPrefix(".") && !name.contains { $0 == "/" || $0 == "%" || $0 == "\0" }
    for candidate in isPlain ? [String(name), "index.html"] : ["index.html"] {
      do {
        let body = try await FileIO().loadFile(path: "\(directory)/\(candidate)", context: context)
        return Response(
          status: .ok, headers: [.contentType: Self.type(of: candidate), .cacheControl: "no-store"],
          body: body)
      } catch let error as HTTPError where error.status == .notFound { continue }
    }
    throw Problem(
      .notFound, "There is no index.html in \(directory).", hint: "scripts/ui-build makes ui/dist.")
  }

  /// `/app.<hash>.js`: such a file never changes.
  private static func isHashed(_ path: Substring) -> Bool {
    let parts = path.split(separator: ".")
    return parts.count == 3 && parts[1].count == 8
  }

  private static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "svg": "image/svg+xml"
    case "json", "map": "application/json"
    default: "text/plain; charset=utf-8"
    }
  }

  /// RFC 9110 §13.1.2, by weak comparison.
  private static func matches(_ headers: [String], _ etag: String) -> Bool {
    headers.flatMap { $0.split(separator: ",") }.map(\.trimmingSpaces).contains { tag in
      tag == "*" || tag == etag || "W/\(tag)" == etag
    }
  }

  /// RFC 9110 §12.5.3: gzip is named, or anything is welcome, and not with weight 0.
  private static func takesGzip(_ headers: [String]) -> Bool {
    var weights: [String: Double] = [:]
    for item in headers.flatMap({ $0.split(separator: ",") }) {
      let parts = item.split(separator: ";").map(\.trimmingSpaces)
      guard let coding = parts.first?.lowercased() else { continue }
      weights[coding] =
        parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
    }
    return weights["gzip"] ?? weights["*"] ?? 0 > 0
  }
}
