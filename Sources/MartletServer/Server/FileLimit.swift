// How many files and connections the server may have open.

import Glibc
import Logging

/// Raises this process's limit of open files to 16,384, or what its account may have.
///
/// Shells start programs with 1,024, for the sake of old ones that call select(); every run at work, connection and
/// reader of the database takes some. Attempts inherit it, and some programs close every descriptor up to the limit
/// before they begin: so it is enough, not all there is.
func raiseFileLimit(_ logger: Logger) {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
    return warn("The limit of open files is not known", logger)
  }
  let enough = min(limit.rlim_max, 16_384)
  guard limit.rlim_cur < enough else { return }
  let before = limit.rlim_cur
  limit.rlim_cur = enough
  guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
    return warn("The limit of open files stays at \(before)", logger)
  }
}

private func warn(_ what: String, _ logger: Logger) {
  logger.warning("\(what): \(String(cString: strerror(errno))). ulimit -n tells and raises it.")
}
