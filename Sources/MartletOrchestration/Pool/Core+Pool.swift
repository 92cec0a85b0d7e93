// Orders about devices and their pool, written down for the next server.

import MartletModel
import MartletScheduling
import MartletStore

extension Core {
  func setStanding(
    _ standing: DeviceStanding, of device: Int, _ writer: StoreWriter, by principal: Principal,
    _ now: Timestamp
  ) throws {
    let stored: StoredStanding? =
      switch standing {
      case .open: nil
      case .cordoned(let reason): StoredStanding(device: device, standing: "cordoned", reason: reason)
      case .draining(let reason): StoredStanding(device: device, standing: "draining", reason: reason)
      }
    try writer.setStanding(stored, of: device, host: host, by: principal, now: now)
  }

  /// Settings that are not as they are written down, one row each.
  mutating func setPolicy(
    _ policy: PoolPolicy, _ writer: StoreWriter, by principal: Principal, _ now: Timestamp
  ) throws {
    for setting in PoolSetting.allCases where policy[setting] != policies.written[setting] {
      try writer.setPoolSetting(
        setting.rawValue, to: policy[setting], declared: policies.declared[setting], by: principal, now: now)
    }
    wrote(policy)
  }
}

extension DeviceStanding {
  /// Nil: not one of those that are stored.
  init?(_ stored: StoredStanding) {
    switch stored.standing {
    case "cordoned": self = .cordoned(reason: stored.reason)
    case "draining": self = .draining(reason: stored.reason)
    default: return nil
    }
  }
}
