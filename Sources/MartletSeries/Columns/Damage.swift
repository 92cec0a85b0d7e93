// What decoders of stored bytes throw.

import MartletModel

extension Problem {
  /// Stored bytes that do not decode: the database is damaged.
  ///
  /// - Parameter what: "A chunk of steps", for the message.
  static func damaged(_ what: String) -> Problem {
    Problem(.internal, "\(what) in the database is damaged.", hint: "Run 'martlet doctor'.")
  }
}
