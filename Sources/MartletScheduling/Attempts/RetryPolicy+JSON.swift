// Retries as requests bring them and as they are kept with a run.

package import MartletModel
import OrderedCollections

extension RetryPolicy {
  /// `{infra: 3, failure: 1, pause: 2}`: seconds in `pause`.
  package init(json: JSONValue) {
    self.init()
    for fault in Fault.allCases {
      if let count = json[fault.rawValue]?.int.flatMap(Int.init(exactly:)) { limits[fault] = count }
    }
    if let pause = json["pause"]?.double { self.pause = pause }
  }

  package var json: JSONValue {
    var members: JSONObject = [:]
    for fault in Fault.allCases {
      if let count = limits[fault] { members[fault.rawValue] = .int(Int64(count)) }
    }
    members["pause"] = .double(pause)
    return .object(members)
  }
}
