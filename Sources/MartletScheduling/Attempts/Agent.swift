// Who runs attempts in the server's place.

package import MartletModel
import OrderedCollections

/// One worker of an agent: a process of somebody's that asks for trials and runs one at a time, with its own devices.
package struct Agent: Sendable, Hashable {
  /// New for each worker that begins.
  package var id: String
  /// For people: a machine's name, and a device of it perhaps.
  package var name: String
  /// Devices that it has for an attempt.
  package var devices: Int

  package init(id: String, name: String, devices: Int = 0) {
    self.id = id
    self.name = name
    self.devices = devices
  }

  /// Nil: it is none.
  package init?(json: JSONValue) {
    guard let id = json["id"]?.string else { return nil }
    self.init(
      id: id, name: json["name"]?.string ?? id, devices: json["devices"]?.int.flatMap(Int.init(exactly:)) ?? 0
    )
  }

  package var json: JSONValue {
    ["id": .string(id), "name": .string(name), "devices": .int(Int64(devices))]
  }
}
