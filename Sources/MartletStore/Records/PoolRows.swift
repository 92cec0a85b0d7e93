// What people ordered of devices and of their pool, kept for the next server.

import GRDB
package import MartletModel
import OrderedCollections

/// A device that is out of service.
package struct StoredStanding: Sendable, Hashable {
  package var device: Int
  /// `cordoned` or `draining`.
  package var standing: String
  package var reason: String

  package init(device: Int, standing: String, reason: String) {
    self.device = device
    self.standing = standing
    self.reason = reason
  }
}

/// A setting that was changed while a server ran.
package struct StoredPoolSetting: Sendable, Hashable {
  package var name: String
  package var value: JSONValue
  /// What the server was started with when it was changed: started with another, that one counts.
  package var declared: JSONValue
}

extension StoreReader {
  /// Of the devices of one machine, by number.
  package func standings(host: String) throws -> [StoredStanding] {
    try Row.fetchAll(
      db, sql: "SELECT device, standing, reason FROM device_standing WHERE host = ? ORDER BY device",
      arguments: [host]
    ).map { StoredStanding(device: $0["device"], standing: $0["standing"], reason: $0["reason"]) }
  }

  package func poolSettings() throws -> [StoredPoolSetting] {
    try Row.fetchAll(db, sql: "SELECT name, value, declared FROM pool_setting ORDER BY name").map { row in
      StoredPoolSetting(name: row["name"], value: try row.json("value"), declared: try row.json("declared"))
    }
  }

  /// The devices that the last server of this machine found; nil: none was asked to look.
  package func foundDevices(host: String) throws -> JSONValue? {
    try Row.fetchOne(db, sql: "SELECT devices FROM found_devices WHERE host = ?", arguments: [host])?
      .json("devices")
  }
}

extension StoreWriter {
  /// Takes a device out of service; nil: puts it back.
  package func setStanding(
    _ standing: StoredStanding?, of device: Int, host: String, by principal: Principal, now: Timestamp
  ) throws {
    if let standing {
      try db.execute(
        sql: """
          INSERT INTO device_standing (host, device, standing, reason, principal_id, at) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (host, device) DO UPDATE SET standing = excluded.standing, reason = excluded.reason,
            principal_id = excluded.principal_id, at = excluded.at
          """,
        arguments: [
          host, device, standing.standing, standing.reason, principal.row, now.microseconds,
        ])
    } else {
      try db.execute(
        sql: "DELETE FROM device_standing WHERE host = ? AND device = ?", arguments: [host, device])
    }
    var payload: JSONObject = ["host": .string(host)]
    if let standing { payload["reason"] = .string(standing.reason) }
    try note(
      standing?.standing ?? "open", subject: "device", row: Int64(device), payload: .object(payload),
      by: principal, at: now)
  }

  /// Keeps a setting of the pool; one that is as the server was started is not kept.
  package func setPoolSetting(
    _ name: String, to value: JSONValue, declared: JSONValue, by principal: Principal, now: Timestamp
  ) throws {
    if value == declared {
      try db.execute(sql: "DELETE FROM pool_setting WHERE name = ?", arguments: [name])
    } else {
      try db.execute(
        sql: """
          INSERT INTO pool_setting (name, value, declared, principal_id, at) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET value = excluded.value, declared = excluded.declared,
            principal_id = excluded.principal_id, at = excluded.at
          """, arguments: [name, value.text, declared.text, principal.row, now.microseconds])
    }
    try note(
      "setting", subject: "pool", row: 0, payload: ["name": .string(name), "value": value], by: principal,
      at: now)
  }

  /// Forgets a setting that the server was started with another value of.
  package func forgetPoolSetting(_ name: String) throws {
    try db.execute(sql: "DELETE FROM pool_setting WHERE name = ?", arguments: [name])
  }

  package func setFoundDevices(_ devices: JSONValue, host: String) throws {
    try db.execute(
      sql: """
        INSERT INTO found_devices (host, devices) VALUES (?, ?)
        ON CONFLICT (host) DO UPDATE SET devices = excluded.devices
        """, arguments: [host, devices.text])
  }
}
