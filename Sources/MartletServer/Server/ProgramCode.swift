// The code of this program as it lies in memory, most of which nobody needs once the server is up.

import Glibc

/// The code that this function is part of, mapped from the program's file.
///
/// Whenever a page of code is wanted for the first time, the kernel maps the 64 kB around it, as far as it has them in
/// memory. A start runs a little of nearly everything: of 30 MB of code 18 MB are mapped after it, of which 5 MB were
/// run. None is unmapped again as long as memory is not short. Given back, some 4 MB of them return while nobody asks
/// anything: a server with 100,000 runs has 40 MB in memory then instead of 53.
enum ProgramCode {
  /// Unmaps the code; pages that are run again are mapped again, without any disk, where memory is not short.
  ///
  /// What lies in memory because programs wrote it there, as breakpoints do, would be lost: then nothing is done.
  static func release() {
    guard let code = mapping(), code.isAsInFile else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: code.start), Int(code.length), MADV_DONTNEED)
  }

  /// Nil: procfs does not tell.
  static func mapping() -> CodeMapping? {
    guard let file = fopen("/proc/self/smaps", "re") else { return nil }
    var line: UnsafeMutablePointer<CChar>?
    var room = 0
    defer {
      free(line)
      fclose(file)
    }
    let here: @convention(c) () -> Void = {}
    // Line by line, and no further than needed: the whole text has some 300 kB.
    return CodeMapping(around: unsafeBitCast(here, to: UInt.self)) {
      guard getline(&line, &room, file) > 0, let line else { return nil }
      return String(cString: line)
    }
  }
}

/// One mapping of a process (proc_pid_smaps(5)).
struct CodeMapping: Equatable {
  var start: UInt
  /// Bytes.
  var length: UInt
  /// Bytes that are in memory.
  var resident: UInt = 0
  /// Whether it is code that cannot be written to, and nothing in memory differs from the file.
  var isAsInFile = false

  /// The mapping that `address` lies in; nil: there is none.
  ///
  /// - Parameter next: gives lines of smaps, each once.
  init?(around address: UInt, next: () -> String?) {
    var found: (words: [Substring], range: Range<UInt>)?
    while found == nil {
      guard let line = next() else { return nil }
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let range = words.first.flatMap(Self.range), range.contains(address) else { continue }
      found = (words, range)
    }
    guard let (words, range) = found else { return nil }
    (start, length) = (range.lowerBound, UInt(range.count))
    let isCode = words.count > 5 && words[1] == "r-xp" && words[5].hasPrefix("/")
    while let line = next() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let key = words.first, Self.range(key) == nil else { return }
      let kilobytes = words.count > 1 ? UInt(words[1]) : nil
      switch key {
      case "Rss:": resident = (kilobytes ?? 0) << 10
      case "Anonymous:": isAsInFile = isCode && kilobytes == 0
      default: continue
      }
    }
  }

  /// `55d0c6a00000-55d0c86d8000`; nil: a line of another kind.
  private static func range(_ word: Substring) -> Range<UInt>? {
    let ends = word.split(separator: "-", maxSplits: 1).map { UInt($0, radix: 16) }
    guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
    return start..<end
  }
}
