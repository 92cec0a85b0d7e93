// What a server is told of its devices when it starts, and what it makes of it.

import MartletExecution
import MartletModel
package import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

/// The devices that are shared out, and how.
package struct PoolOptions: Sendable {
  package var devices: DeviceChoice
  /// Slots of each device for which no number was said.
  package var slots: Int
  package var policy: PoolPolicy

  package init(devices: DeviceChoice = .auto, slots: Int = 1, policy: PoolPolicy = PoolPolicy()) {
    self.devices = devices
    self.slots = slots
    self.policy = policy
  }
}

extension EngineOptions {
  /// The pool that a server of these options begins with; what has to be kept of it for the next is.
  func startingPool(_ store: Store, _ gpus: GPUs, at now: Double) async throws -> StartingPool {
    let (host, options) = (hostName(), self)
    var discovered: DiscoveredDevices?
    if case .auto = pool.devices {
      discovered = try await blocking {
        DeviceDiscovery.discover(gpus, environment: options.environment, at: now)
      }
    }
    let (found, choice) = (discovered, self.pool)
    let start = try await store.read { reader in
      choice.pool(
        on: host, discovered: found, standings: try reader.standings(host: host),
        settings: try reader.poolSettings(), remembered: try reader.foundDevices(host: host),
        isAwaited: try !reader.liveAttempts().isEmpty || !reader.liveSweeps().isEmpty)
    }
    if start.found != nil || !start.outdated.isEmpty {
      try await store.write { writer in
        if let found = start.found { try writer.setFoundDevices(found, host: host) }
        for name in start.outdated { try writer.forgetPoolSetting(name) }
      }
    }
    return start
  }
}

/// A pool as a server begins with it: nobody in it.
struct StartingPool: Sendable {
  var pool: DevicePool
  /// The policy of the server's own options.
  var declared: PoolPolicy
  /// For people.
  var warnings: [String] = []
  /// What is to be kept for the next server; nil: what is kept is still right.
  var found: JSONValue?
  /// Settings whose rows are out of date.
  var outdated: [String] = []
}

extension PoolOptions {
  /// Makes the pool from these options and what the store keeps of the server before.
  ///
  /// - Parameter discovered: for `auto`: what drivers tell; nil: they do not answer.
  func pool(
    on host: String, discovered: DiscoveredDevices?, standings: [StoredStanding],
    settings: [StoredPoolSetting], remembered: JSONValue?, isAwaited: Bool
  ) -> StartingPool {
    var warnings: [String] = []
    var (devices, absent) = ([Device](), [Int: String]())
    var found: JSONValue?
    switch self.devices {
    case .none: break
    case .declared(let declared):
      devices = declared.enumerated().map { index, device in
        Device(
          index: index, host: host, memory: device.memory, slots: device.slots ?? slots)
      }
    case .auto:
      warnings = discovered?.warnings ?? ["The drivers of devices do not answer: they are taken to be gone."]
      devices = (discovered?.chosen ?? []).map { Device($0, host: host, slots: slots) }
      if isAwaited {
        // A device that is gone for a moment must not end those who wait for it.
        for old in Device.remembered(remembered, host: host, slots: slots)
        where !(discovered?.all ?? []).contains(where: { old.isSame(as: $0) }) {
          var old = old
          if devices.contains(where: { $0.index == old.index }) {
            old.index = (devices.map(\.index).max() ?? -1) + 1
          }
          absent[old.index] = "It was there before this server was started, and no driver tells of it now."
          devices.append(old)
        }
      }
      let list = JSONValue.array(devices.map(\.remembered))
      if list != remembered { found = list }
    }
    var policy = policy
    var outdated: [String] = []
    for stored in settings {
      guard let setting = PoolSetting(rawValue: stored.name), self.policy[setting] == stored.declared,
        (try? policy.set(setting, to: stored.value)) != nil
      else {
        outdated.append(stored.name)
        continue
      }
    }
    var pool = DevicePool(devices: devices, policy: policy)
    for stored in standings {
      if let standing = DeviceStanding(stored) { pool.restore(standing, of: stored.device) }
    }
    pool.know([:], absent: absent)
    return StartingPool(
      pool: pool, declared: self.policy, warnings: warnings, found: found, outdated: outdated)
  }
}

extension Device {
  /// A device that a driver told of.
  init(_ found: FoundDevice, host: String, slots: Int) {
    let kind: Kind =
      switch found.kind {
      case .cuda: .cuda
      case .rocm: .rocm
      case .mps: .mps
      }
    self.init(
      index: found.index, kind: kind, name: found.name, host: host, memory: found.memory, slots: slots,
      driverIndex: found.driverIndex, uuid: found.uuid)
  }

  func isSame(as found: FoundDevice) -> Bool {
    uuid.isEmpty || found.uuid.isEmpty
      ? kind.rawValue == found.kind.rawValue && driverIndex == found.driverIndex : uuid == found.uuid
  }

  /// As the store keeps it.
  var remembered: JSONValue {
    [
      "index": .int(Int64(index)), "kind": .string(kind.rawValue), "name": .string(name),
      "memory": memory.map(JSONValue.int) ?? .null, "driver_index": .int(Int64(driverIndex)),
      "uuid": .string(uuid),
    ]
  }

  /// What was kept of devices; what cannot be read is forgotten.
  static func remembered(_ json: JSONValue?, host: String, slots: Int) -> [Device] {
    (json?.array ?? []).compactMap { item in
      guard let index = item["index"]?.int.flatMap(Int.init(exactly:)),
        let kind = item["kind"]?.string.flatMap(Kind.init(rawValue:))
      else { return nil }
      return Device(
        index: index, kind: kind, name: item["name"]?.string ?? "", host: host, memory: item["memory"]?.int,
        slots: slots, driverIndex: item["driver_index"]?.int.flatMap(Int.init(exactly:)),
        uuid: item["uuid"]?.string ?? "")
    }
  }
}
