// From what a person types to the run, sweep or token that is meant: an id, or a name when it is unique.

import MartletModel
import OrderedCollections

/// A kind of object that can be named.
enum Noun: String {
  case run, sweep, token

  var path: String { "/\(rawValue)s" }
  var listCommand: String { "martlet \(rawValue) list" }
}

extension Client {
  /// The object called `name`.
  ///
  /// - Throws: `Failure` with `notFound` and the nearest name when there is none, with `usage` and the ids when
  ///   there are several.
  func find(_ noun: Noun, _ name: String) async throws -> JSONValue {
    if let id = PublicID(rawValue: name), noun != .token {
      do {
        return try await send(.get, "\(noun.path)/\(id)")
      } catch let failure as Failure where failure.status == .notFound {
        // Eight letters may be a name as well: look on.
      }
    }
    let query: Query = noun == .run ? [("search", name), ("archived", "any")] : []
    let candidates = try await items(noun.path, query: query)
    if let byID = candidates.first(where: { $0["id"]?.string == name }) { return byID }
    let called = candidates.filter { $0["name"]?.string == name }
    switch called.count {
    case 1: return called[0]
    case 0: throw try await nothing(noun, called: name)
    default:
      let ids = called.prefix(5).compactMap { item in
        item["id"]?.string.map {
          "\($0) (\(item["project"]?.string ?? "-"), \(item["state"]?.string ?? "-"))"
        }
      }.joined(separator: ", ")
      throw Failure(
        .usage, "\(called.count) \(noun.rawValue)s are called '\(name)'.", hint: "Name one by its id: \(ids)."
      )
    }
  }

  /// The newest thousand are looked through for a name that was meant.
  private func nothing(_ noun: Noun, called name: String) async throws -> Failure {
    let names = try await items(noun.path, limit: 1000).flatMap { item in
      [item["name"]?.string, item["id"]?.string].compactMap { $0 }
    }
    let suggestion = nearest(to: name, in: names).map { "Did you mean '\($0)'? " } ?? ""
    return Failure(
      .notFound, "There is no \(noun.rawValue) '\(name)'.",
      hint: "\(suggestion)\(noun.listCommand)\(place.suffix) shows the \(noun.rawValue)s there are.")
  }
}

extension JSONValue {
  /// The `id` member, which every object of the API has.
  var id: String { self["id"]?.string ?? "" }
}
