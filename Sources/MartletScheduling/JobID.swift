// What is executed, and by which name the machines know it.

package import MartletModel

/// A trial, what a sweep does once before its first trial, or a run that belongs to no sweep.
package enum JobID: Hashable, Sendable, CustomStringConvertible {
  case trial(sweep: PublicID, number: Int)
  case run(PublicID)
  case preparation(sweep: PublicID)

  package var sweep: PublicID? {
    switch self {
    case .trial(let sweep, _), .preparation(let sweep): sweep
    case .run: nil
    }
  }

  package var description: String {
    switch self {
    case .trial(let sweep, let number): "trial \(number) of sweep \(sweep)"
    case .run(let run): "run \(run)"
    case .preparation(let sweep): "the preparation of sweep \(sweep)"
    }
  }
}
