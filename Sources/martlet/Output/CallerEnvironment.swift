// The environment martlet was started with: kept as it was, for what is handed on to runs.

import Foundation
import MartletModel
import Synchronization

/// The variables of whoever started this process.
enum CallerEnvironment {
  private static let kept = Mutex<[String: String]>([:])

  /// The environment as it was at the start.
  static var current: [String: String] { kept.withLock { $0 } }

  /// Keeps the environment. Called once, before any thread runs.
  static func capture() {
    let environment = ProcessInfo.processInfo.environment
    kept.withLock { $0 = environment }
  }

  /// What a run gets: all but what martlet itself sets for an attempt, so that a run started from within another
  /// run writes to its own record and not with the other's token.
  static var forRuns: [String: String] { current.filter { !setForAttempts.contains($0.key) } }

  private static let setForAttempts: Set<String> = [
    "MARTLET_URL", "MARTLET_TOKEN", "MARTLET_PROJECT", "MARTLET_RUN_ID", "MARTLET_ATTEMPT",
    "MARTLET_SWEEP_ID",
    "MARTLET_TRIAL_ID", "MARTLET_PARAMS", "MARTLET_RUN_DIR", "MARTLET_CHECKPOINT_DIR", "MARTLET_RESUME_FROM",
    "MARTLET_SHARD_INDEX", "MARTLET_SHARD_COUNT", "MARTLET_SHARED_DIR", "MARTLET_SEED",
  ]
}
