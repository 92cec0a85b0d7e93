// Directories copied as they are, while others may work in them.

import CDispatch  // where the module map puts struct stat
import Foundation

/// Copies directories: files with their modes and times, links as links.
struct FileTree {
  /// Files are hard links where the file system can.
  var links = false

  private(set) var files = 0
  private(set) var bytes: Int64 = 0
  /// What is neither file, link nor directory.
  private(set) var skipped: [String] = []

  private static let pieceBytes = 1 << 20

  init(links: Bool = false) { self.links = links }

  /// Copies a file or a directory with all below it. What goes while it is copied is not in the copy; what is written while it
  /// is copied may be in it or not.
  mutating func copy(_ source: String, to target: String) throws {
    var entry = stat()
    guard lstat(source, &entry) == 0 else {
      if errno == ENOENT { return }
      throw Self.unreadable(source)
    }
    switch entry.st_mode & S_IFMT {
    case S_IFDIR: try copyDirectory(source, to: target, entry)
    case S_IFREG: try copyFile(source, to: target, entry)
    case S_IFLNK: try copyLink(source, to: target)
    default: skipped.append(source)
    }
  }

  private mutating func copyDirectory(_ source: String, to target: String, _ entry: stat) throws {
    guard mkdir(target, 0o700) == 0 || errno == EEXIST else { throw Failure(writing: target, code: errno) }
    guard let directory = opendir(source) else {
      if errno == ENOENT { return }
      throw Self.unreadable(source)
    }
    var names: [String] = []
    while let next = readdir(directory) {
      let name = withUnsafePointer(to: &next.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    closedir(directory)
    for name in names.sorted() { try copy("\(source)/\(name)", to: "\(target)/\(name)") }
    guard chmod(target, entry.st_mode & 0o7777) == 0 else { throw Failure(writing: target, code: errno) }
  }

  private mutating func copyLink(_ source: String, to target: String) throws {
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: source) else { return }
    guard symlink(path, target) == 0 else { throw Failure(writing: target, code: errno) }
    files += 1
  }

  private mutating func copyFile(_ source: String, to target: String, _ entry: stat) throws {
    if links {
      if link(source, target) == 0 {
        files += 1
        bytes += Int64(entry.st_size)
        return
      }
      if errno == EEXIST || errno == ENOENT { return }
    }
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard input >= 0 else {
      if errno == ENOENT { return }
      throw Self.unreadable(source)
    }
    defer { close(input) }
    let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard output >= 0 else { throw Failure(writing: target, code: errno) }
    defer { close(output) }
    var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
    while true {
      let count = read(input, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.unreadable(source) }
      guard count > 0 else { break }
      try OutputFile.write(Array(piece[..<count]), to: output, of: target)
      bytes += Int64(count)
    }
    let times = [entry.st_atim, entry.st_mtim]
    guard fchmod(output, entry.st_mode & 0o7777) == 0, futimens(output, times) == 0 else {
      throw Failure(writing: target, code: errno)
    }
    files += 1
  }

  private static func unreadable(_ path: String) -> Failure {
    Failure(
      errno == EACCES || errno == EPERM ? .notPermitted : .internalError,
      "\(path) cannot be read: \(String(cString: strerror(errno))).",
      hint: errno == EACCES ? "Run this as the account that runs the server." : nil)
  }

  // MARK: - The disk

  /// Bytes of the files in a directory and below it.
  static func bytes(in path: String, besides excluded: (String) -> Bool = { _ in false }) -> Int64 {
    var entry = stat()
    guard lstat(path, &entry) == 0 else { return 0 }
    guard entry.st_mode & S_IFMT == S_IFDIR else { return Int64(entry.st_size) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !excluded($0) }.reduce(0) { $0 + bytes(in: "\(path)/\($1)") }
  }

  /// Waits until a directory and all below it are on the disk.
  static func sync(_ path: String) throws {
    var entry = stat()
    guard lstat(path, &entry) == 0 else { throw Failure(writing: path, code: errno) }
    switch entry.st_mode & S_IFMT {
    case S_IFDIR:
      for name in try FileManager.default.contentsOfDirectory(atPath: path) { try sync("\(path)/\(name)") }
      try syncOne(path)
    case S_IFREG: try syncOne(path)
    default: return
    }
  }

  static func syncOne(_ path: String) throws(Failure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    // What this account may not read it cannot have written here: a link to somebody else's file.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure(writing: path, code: errno) }
  }
}
