// Devices taken out of service and back, and the rules of the pool.

package import MartletModel
import MartletScheduling
import MartletTracking
import OrderedCollections

/// What is to become of a device.
package enum DeviceOrder: String, Sendable, CaseIterable {
  /// Given to nobody; who holds it goes on.
  case cordon
  /// Emptied besides: who holds it is asked to make room.
  case drain
  case uncordon
}

extension Engine {
  /// - Parameter reason: a sentence; nil: only who wants it is said.
  /// - Returns: the device as the pool shows it.
  package func order(
    _ order: DeviceOrder, device index: Int, reason: String?, access: Access
  ) async throws -> JSONValue {
    let (conductor, principal) = (conductor, access.principal)
    let words = reason ?? "\(order == .drain ? "Drained" : "Cordoned") by \(principal.name)."
    let standing: DeviceStanding =
      switch order {
      case .cordon: .cordoned(reason: words)
      case .drain: .draining(reason: words)
      case .uncordon: .open
      }
    try await conductor.queue.run { try await conductor.setStanding(index, standing, by: principal) }
    return await view(access).device(index)
  }

  /// Changes the members of the policy that `change` names.
  ///
  /// - Throws: `JSONMemberError` for a name or value that is none.
  /// - Returns: the policy that is in force now.
  package func changePolicy(_ change: JSONValue, access: Access) async throws -> JSONValue {
    let members = try JSONReader(change).members
    try JSONReader(change).allowOnly(PoolSetting.allCases.map(\.rawValue))
    guard !members.isEmpty else {
      throw JSONMemberError(key: "body", message: "names nothing that is to be changed")
    }
    let (conductor, principal) = (conductor, access.principal)
    return try await conductor.queue.run {
      var policy = await conductor.core.scheduler.pool.policy
      for setting in PoolSetting.allCases {
        if let value = members[setting.rawValue] { try policy.set(setting, to: value) }
      }
      try await conductor.setPolicy(policy, by: principal)
      return .object(await conductor.core.scheduler.pool.policy.json)
    }
  }
}
