// The line protocol of `martlet sweep serve`: one JSON object a line in, one out.

import MartletModel
import OrderedCollections

/// Answers the requests of the line protocol, version 1.
///
///     {"op":"hello"}                                             what this program is and can do
///     {"op":"create","study":"s","space":…,"algorithm":"gp","seed":7,"options":{"budget":100,"workers":8}}
///     {"op":"ask","study":"s","n":1}                             points to try
///     {"op":"tell","study":"s","trial":0,"state":"complete","values":[0.3],"constraints":[-0.1]}
///     {"op":"report","study":"s","trial":0,"step":3,"value":0.5} whether to go on with a trial
///     {"op":"load","study":"s","trials":[{"params":{…},"values":[0.3]}]}   finished trials to learn from
///     {"op":"best","study":"s"}                                  the best feasible trial, or the Pareto front
///     {"op":"snapshot","study":"s"}, {"op":"restore","study":"s","state":"…"}
///     {"op":"close","study":"s"}, {"op":"shutdown"}
///
/// Every answer has `ok`; a request that cannot be answered gets `{"ok":false,"error":"…"}`, beginning with
/// `unsupported: ` where the algorithm cannot do what is asked for, and changes nothing.
public struct SearchProtocol: Sendable {
  /// Whether `shutdown` was asked for.
  public private(set) var isOver = false
  private var studies: OrderedDictionary<String, SearchStudy> = [:]

  public init() {}

  /// The answer to one line, without a line break.
  public mutating func answer(_ line: String) -> String {
    var answer: JSONObject = ["ok": true]
    do {
      answer.merge(try handle(JSONReader(JSONValue.parse(line)))) { $1 }
    } catch {
      answer = ["ok": false, "error": .string(Self.words(for: error))]
    }
    return JSONValue.object(answer).text
  }

  private static func words(for error: any Error) -> String {
    switch error {
    case let error as ProtocolError: return error.message
    case let error as JSONSyntaxError: return "the line is no JSON: \(error)"
    case let error as SearchError:
      switch error {
      case .unsupported, .infiniteDomain, .tooManyPoints: return "unsupported: \(error)"
      case .unknownMethod, .emptySpace, .repeatedParameter, .invalidDomain, .pointOutside, .invalidOption,
        .unknownOption, .invalidRule, .invalidRelation, .pointForbidden, .unusableState:
        return "\(error)"
      }
    default: return "\(error)"
    }
  }

  private mutating func handle(_ request: JSONReader) throws -> JSONObject {
    guard let operation = Operation(rawValue: try request.requiredString("op")) else {
      let name = try request.requiredString("op")
      let near = nearest(to: name, in: Operation.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" }
      throw ProtocolError("there is no op '\(name)'\(near ?? "")")
    }
    switch operation {
    case .hello:
      return [
        "protocol": 1, "name": "martlet", "algorithms": JSONValue(SearchStudy.algorithms),
        "features": ["load", "report", "conditions", "constraints", "multi-objective", "snapshot"],
      ]
    case .shutdown:
      isOver = true
      return [:]
    case .create:
      studies[try request.requiredString("study")] = try SearchStudy(creating: request)
      return [:]
    case .restore:
      studies[try request.requiredString("study")] = try SearchStudy(
        restoring: JSONValue.parse(request.requiredString("state")))
      return [:]
    case .close:
      let name = try request.requiredString("study")
      guard studies.removeValue(forKey: name) != nil else { throw Self.unknown(name) }
      return [:]
    case .ask: return try inStudy(of: request) { try $0.ask(request) }
    case .tell: return try inStudy(of: request) { try $0.tell(request) }
    case .report: return try inStudy(of: request) { try $0.report(request) }
    case .load: return try inStudy(of: request) { try $0.load(request) }
    case .best: return try inStudy(of: request) { ["best": $0.best] }
    case .snapshot: return try inStudy(of: request) { ["state": .string($0.snapshot.text)] }
    }
  }

  private enum Operation: String, CaseIterable {
    case hello, create, ask, tell, report, load, best, snapshot, restore, close, shutdown
  }

  private mutating func inStudy(
    of request: JSONReader, _ body: (inout SearchStudy) throws -> JSONObject
  ) throws -> JSONObject {
    let name = try request.requiredString("study")
    guard let place = studies.index(forKey: name) else { throw Self.unknown(name) }
    // In place: a copy of the history for every request would make long studies slow.
    return try body(&studies.values[place])
  }

  private static func unknown(_ study: String) -> ProtocolError {
    ProtocolError("there is no study '\(study)': create it first")
  }
}
