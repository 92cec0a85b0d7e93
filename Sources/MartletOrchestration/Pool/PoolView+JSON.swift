// Readings and standings of devices as JSON.

import MartletModel
import MartletScheduling
import OrderedCollections

extension DeviceStanding {
  var word: String {
    switch self {
    case .open: "open"
    case .cordoned: "cordoned"
    case .draining: "draining"
    }
  }
}

extension DeviceReading {
  var json: JSONValue {
    [
      "utilization": JSONValue(utilization), "memory_used": used.map(JSONValue.int) ?? .null,
      "temperature": JSONValue(temperature), "power": JSONValue(power),
      "at": JSONValue(at.map { Timestamp(seconds: $0) }),
    ]
  }
}
