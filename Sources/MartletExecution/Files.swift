// Directories and small files, made by as few calls of the system as can be: for what every attempt needs.

package import Glibc
package import MartletModel

package enum Files {
  /// Makes a directory, and those above it that are missing.
  ///
  /// - Parameter mode: of those that are made, less what the umask takes away.
  /// - Throws: `Problem.unavailable`.
  package static func makeDirectory(_ path: String, mode: mode_t = 0o777) throws(Problem) {
    if mkdir(path, mode) == 0 { return }
    switch errno {
    case EEXIST:
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw problem("made: something else bears its name", path)
      }
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw made(path) }
      try makeDirectory(String(path[..<slash]), mode: mode)
      // Somebody else may have made it in between.
      guard mkdir(path, mode) == 0 || errno == EEXIST else { throw made(path) }
    default: throw made(path)
    }
  }

  private static func made(_ path: String) -> Problem {
    problem("made: \(String(cString: strerror(errno)))", path)
  }

  /// Writes a whole file, in its place: a crash may leave a part of it.
  ///
  /// - Throws: `Problem.unavailable`.
  package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o666) throws(Problem) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw problem("written: \(String(cString: strerror(errno)))", path) }
    defer { close(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw problem("written: \(String(cString: strerror(errno)))", path) }
      rest = rest.dropFirst(count)
    }
  }

  private static func problem(_ what: String, _ path: String) -> Problem {
    Problem(
      .unavailable, "\(path) cannot be \(what).", hint: "Check the disk and the directory's permissions.")
  }
}
