// zstd (RFC 8878) over whole byte strings.

import CZstd
import Synchronization

#if THREAD_SANITIZER
  import MartletModel  // its Mutex
#endif

/// Compression of stored columns.
///
/// A context takes longer to make than a column to compress, so those that were used wait for the next one; a context is used by
/// one call at a time.
enum Zstd {
  private static let level: Int32 = 1

  /// Contexts of one kind that nobody uses.
  private struct Pool: ~Copyable {
    /// `OpaquePointer` is not Sendable; whoever takes one out of the lock has it alone.
    private let idle = Mutex<[UInt]>([])
    /// What waits is bounded by this; more at once are made and freed.
    private let limit = 16

    func take() -> OpaquePointer? {
      idle.withLock { $0.popLast() }.flatMap(OpaquePointer.init(bitPattern:))
    }

    /// False: there are enough, and the context is the caller's to free.
    func put(_ context: OpaquePointer) -> Bool {
      idle.withLock { idle in
        guard idle.count < limit else { return false }
        idle.append(UInt(bitPattern: context))
        return true
      }
    }
  }

  private static let compressors = Pool()
  private static let decompressors = Pool()

  /// The bytes as one frame that names its content's size; nil when there is no memory for it.
  static func compress(_ bytes: [UInt8]) -> [UInt8]? {
    guard let context = compressors.take() ?? ZSTD_createCCtx() else { return nil }
    defer { if !compressors.put(context) { ZSTD_freeCCtx(context) } }
    var isWhole = false
    let frame = [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { out, count in
      let length = ZSTD_compressCCtx(context, out.baseAddress, out.count, bytes, bytes.count, level)
      isWhole = ZSTD_isError(length) == 0
      count = isWhole ? length : 0
    }
    return isWhole ? frame : nil
  }

  /// The content of a frame of whatever origin; nil when it is damaged or its content is not of a length in `lengths`.
  static func decompress(_ frame: UnsafeRawBufferPointer, lengths: ClosedRange<Int>) -> [UInt8]? {
    // Two huge values stand for "unknown" and "error". Four bytes are the least that a block of 128 KiB takes.
    let named = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
    guard let length = Int(exactly: named), lengths.contains(length), length <= (frame.count / 4 + 1) << 17,
      let context = decompressors.take() ?? ZSTD_createDCtx()
    else { return nil }
    defer { if !decompressors.put(context) { ZSTD_freeDCtx(context) } }
    var isWhole = false
    let bytes = [UInt8](unsafeUninitializedCapacity: length) { out, count in
      let got = ZSTD_decompressDCtx(context, out.baseAddress, out.count, frame.baseAddress, frame.count)
      isWhole = got == length
      count = isWhole ? length : 0
    }
    return isWhole ? bytes : nil
  }
}
