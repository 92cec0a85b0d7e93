// The rows behind public ids of sweeps.

package import MartletModel

extension StoreReader {
  /// - Throws: `Problem.notFound`.
  package func row(ofSweep id: PublicID) throws -> Int64 { try requireSweepRow(id) }
}
