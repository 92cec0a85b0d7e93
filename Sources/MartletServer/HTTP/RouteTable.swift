// From a path to its routes.

import HTTPTypes

struct RouteTable: Sendable {
  let routes: [Route]
  private let byLength: [Int: [(segments: [Substring], route: Route)]]

  init(_ routes: [Route]) {
    self.routes = routes
    byLength = Dictionary(grouping: routes.map { ($0.segments, $0) }, by: \.0.count)
  }

  struct Match {
    /// All routes of the path; never empty.
    var routes: [Route]
    /// Decoded.
    var parameters: [String: String]

    /// The methods the path answers; GET brings HEAD along.
    var allowed: [String] {
      let methods = routes.map(\.method.rawValue)
      return methods + (methods.contains("GET") ? ["HEAD"] : []) + ["OPTIONS"]
    }

    func route(for method: HTTPRequest.Method) -> Route? {
      routes.first { $0.method == (method == .head ? .get : method) }
    }
  }

  /// Nil when no route has this path, or an escape in it is broken.
  ///
  /// The path is cut at its slashes before anything is decoded: `%2F` is part of a name. A path that is written out stands
  /// before one with parameters.
  func match(_ path: Substring) -> Match? {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    var match: Match?
    let matching = (byLength[segments.count] ?? []).filter { pattern, _ in
      zip(pattern, segments).allSatisfy { $0.hasPrefix(":") ? !$1.isEmpty : $0 == $1 }
    }
    let fewest = matching.map(\.route.parameterNames.count).min()
    for (pattern, route) in matching where route.parameterNames.count == fewest {
      if match != nil {
        match?.routes.append(route)
        continue
      }
      var parameters: [String: String] = [:]
      for (name, value) in zip(pattern, segments) where name.hasPrefix(":") {
        guard let decoded = percentDecoded(value) else { return nil }
        parameters[String(name.dropFirst())] = decoded
      }
      match = Match(routes: [route], parameters: parameters)
    }
    return match
  }
}
