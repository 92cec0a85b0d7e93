// What failed, in the log: not what the end of the server cut off.

package import Logging
import MartletModel
import MartletStore

extension Logger {
  /// Says what failed where nobody waits for the answer.
  ///
  /// Work that a server's end cuts off has not failed: the next start sees to it, so nothing is said of it.
  ///
  /// - Parameter what: a clause without a full stop, such as "What runs use could not be stored; trying again".
  package func failure(_ what: String, _ error: any Error, level: Logger.Level = .error) {
    guard !(error is CancellationError), error as? Problem != .storeClosed else { return }
    log(level: level, "\(what): \(error)")
  }
}
