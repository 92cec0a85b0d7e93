// What people order of devices and of the pool, and what is seen of devices.

import MartletModel
import MartletScheduling
import MartletStore

extension Conductor {
  /// Takes a device out of service; who holds it goes on.
  ///
  /// - Throws: `Problem.notFound`.
  func cordon(device: Int, reason: String, by principal: Principal) async throws {
    try await setStanding(device, .cordoned(reason: reason), by: principal)
  }

  /// Takes a device out of service and asks those who hold it to make room.
  ///
  /// - Throws: `Problem.notFound`.
  func drain(device: Int, reason: String, by principal: Principal) async throws {
    try await setStanding(device, .draining(reason: reason), by: principal)
  }

  /// - Throws: `Problem.notFound`.
  func uncordon(device: Int, by principal: Principal) async throws {
    try await setStanding(device, .open, by: principal)
  }

  /// - Throws: `Problem.notFound`.
  func setStanding(_ device: Int, _ standing: DeviceStanding, by principal: Principal) async throws {
    guard core.scheduler.pool.place(of: device) != nil else {
      let known = core.scheduler.pool.devices.map { String($0.device.index) }.joined(separator: ", ")
      throw Problem(
        .notFound, "There is no device \(device).",
        hint: known.isEmpty ? "This server was started without devices." : "There are \(known).")
    }
    try await transact { core, writer, effects, now in
      let event: DevicePool.Event =
        switch standing {
        case .open: .uncordon(device: device)
        case .cordoned(let reason): .cordon(device: device, reason: reason)
        case .draining(let reason): .drain(device: device, reason: reason)
        }
      try core.decide(.pool(event), writer, &effects, by: principal, now)
    }
  }

  func setPolicy(_ policy: PoolPolicy, by principal: Principal) async throws {
    try await transact { core, writer, effects, now in
      try core.decide(.pool(.policy(policy)), writer, &effects, by: principal, now)
    }
  }
}
