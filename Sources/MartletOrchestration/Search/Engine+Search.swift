// What people do to a sweep's search, for whoever may see it.

package import MartletModel
import MartletTracking

extension Engine {
  /// Adds a point that is tried before the method is asked again.
  package func addPoint(_ parameters: JSONObject, to id: PublicID, access: Access) async throws -> Sweep {
    try await change(id, access: access) { try await $0.addPoint(parameters, to: id, by: $1) }
  }

  /// Has the point of a trial tried again, as so many trials with seeds of their own.
  package func repeatTrial(_ number: Int, of id: PublicID, times: Int, access: Access) async throws -> Sweep {
    try await change(id, access: access) {
      try await $0.repeatTrial(number, of: id, times: times, by: $1)
    }
  }

  /// - Parameter budget: how many trials there are at most from now on; nil: no limit.
  package func extendSweep(_ id: PublicID, to budget: Int?, access: Access) async throws -> Sweep {
    try await change(id, access: access) { try await $0.extendSweep(id, to: budget, by: $1) }
  }

  /// Another file for a paused sweep.
  package func changeSpace(of id: PublicID, source: String, access: Access) async throws -> Sweep {
    try await change(id, access: access) { try await $0.changeSpace(of: id, source: source, by: $1) }
  }
}
