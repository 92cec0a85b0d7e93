// What `martlet doctor` finds out, one line each.

import MartletModel

/// One thing looked at.
struct Check: Hashable, Sendable {
  enum Status: String, Sendable { case ok, warning, error }

  var name: String
  var status: Status
  var message: String
  var hint: String?

  init(_ name: String, _ status: Status, _ message: String, hint: String? = nil) {
    self.name = name
    self.status = status
    self.message = message
    self.hint = hint
  }

  /// A check that the server made.
  init?(json: JSONValue) {
    guard let name = json["name"]?.string, let status = json["status"]?.string.flatMap(Status.init(rawValue:))
    else {
      return nil
    }
    self.init(name, status, json["message"]?.string ?? "", hint: json["hint"]?.string)
  }

  var json: JSONValue {
    [
      "name": .string(name), "status": .string(status.rawValue), "message": .string(message),
      "hint": JSONValue(hint),
    ]
  }
}
