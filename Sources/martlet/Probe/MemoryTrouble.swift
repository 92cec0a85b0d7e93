// Whether a program ended for want of memory: by its record, and by what it said.

import Foundation
import MartletModel

enum MemoryTrouble {
  /// Words that programs and libraries end with when they get no more memory, in small letters.
  private static let words = [
    "out of memory", "outofmemoryerror", "memoryerror", "not enough memory", "cannot allocate memory",
    "unable to allocate", "std::bad_alloc", "cublas_status_alloc_failed", "cudnn_status_alloc_failed",
    "resource_exhausted", "resource exhausted: oom",
  ]

  /// The last line that says so.
  static func line(in text: String) -> String? {
    text.split(whereSeparator: \.isNewline).last { line in
      let small = line.lowercased()
      return words.contains { small.contains($0) }
    }.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// Why the record of an attempt's end is one for want of memory; nil: it is not.
  ///
  /// - Parameter attempt: as the API shows it.
  static func reason(of attempt: JSONValue) -> String? {
    let reason = attempt["exit"]?["reason"]?.string
    if attempt["fault"]?.string == "oom" || reason?.contains("memory limit") == true { return reason }
    // Nobody asked for its end: whoever sends SIGKILL then is the kernel, which has no memory left.
    if attempt["state"]?.string == "crashed", attempt["exit"]?["signal"]?.int == 9 { return reason }
    return nil
  }
}
