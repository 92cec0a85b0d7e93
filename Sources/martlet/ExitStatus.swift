// What the process answers to whoever started it; docs/cli.md lists the same numbers (after sysexits.h).

import ArgumentParser
import MartletModel

/// The exit statuses of `martlet`; `martlet run -- CMD` passes on the command's own instead.
enum ExitStatus: Int32 {
  case done = 0
  /// What was run failed, or what was asked could not be done in the state things are in.
  case failed = 1
  /// Options or arguments that make no sense.
  case usage = 64
  /// A sweep file, or other input, that is wrong.
  case wrongInput = 65
  /// A file, run, sweep, project or token that is not there.
  case notFound = 66
  /// No server answers.
  case unavailable = 69
  /// A fault of Martlet's own.
  case internalError = 70
  /// A file or directory that cannot be created or written.
  case cannotCreate = 73
  /// The port or the data directory is in use: another time it may work.
  case inUse = 75
  /// The token is missing, wrong, or not allowed to do this.
  case notPermitted = 77
  /// Ended by Ctrl-C.
  case interrupted = 130

  var code: ExitCode { ExitCode(rawValue) }

  /// The status for a refusal by the server.
  init(refusal code: Problem.Code) {
    self =
      switch code {
      case .badRequest: .usage
      case .unauthenticated, .forbidden: .notPermitted
      case .notFound: .notFound
      case .conflict: .failed
      case .unprocessable, .tooLarge: .wrongInput
      case .tooManyRequests: .inUse
      case .unavailable: .unavailable
      case .methodNotAllowed, .rangeNotSatisfiable, .upgradeRequired, .internal: .internalError
      }
  }
}

/// Why a command ends: what happened, to what, and what to do about it.
struct Failure: Error, Hashable {
  var status: ExitStatus
  var message: String
  var hint: String?
  /// What the server said, where it was the server that said no.
  var refusal: Problem?

  init(_ status: ExitStatus, _ message: String, hint: String? = nil) {
    self.status = status
    self.message = message
    self.hint = hint
  }

  /// The server's refusal, or a library's.
  init(_ problem: Problem, status: ExitStatus? = nil) {
    self.init(status ?? ExitStatus(refusal: problem.code), problem.message, hint: problem.hint)
    refusal = problem
  }

  /// Whether the same request may succeed another time: nobody answered, or the server said "not now".
  var isPassing: Bool {
    switch refusal?.code {
    case nil: status == .unavailable
    case .tooManyRequests, .internal, .unavailable: true
    case .badRequest, .unauthenticated, .forbidden, .notFound, .methodNotAllowed, .conflict, .tooLarge,
      .rangeNotSatisfiable, .unprocessable, .upgradeRequired:
      false
    }
  }

  /// Writes it to standard error.
  func report() {
    Terminal.complain("martlet: \(message)")
    if let hint, !hint.isEmpty { Terminal.complain("  \(hint)") }
  }
}
