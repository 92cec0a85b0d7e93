// The plain binary answer of series reads.

public import MartletModel
import OrderedCollections

/// `MARTLETS`, `u32` version 1, `u32` header length, a JSON header padded with spaces so that what follows begins at a
/// multiple of 8, then arrays of 8-byte little-endian words, to which the header's offsets point.
///
/// The header is `{"series": [{run, key, kind, count, n, arrays: [{name, type, offset}]}]}`: `kind` is `raw` or `buckets`, `count`
/// the points in the window, `n` the length of every array, `type` is `i64` or `f64`, `offset` counts from the frame's begin.
public enum SeriesFrame {
  public static let mediaType = "application/vnd.martlet.series"

  public static func encode(_ series: [Series]) -> [UInt8] { [] }

  /// - Throws: `Problem.badRequest` when the bytes are no such frame.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [Series] { [] }
}
